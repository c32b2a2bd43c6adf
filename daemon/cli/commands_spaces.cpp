// space list, space create
#include "cli/command.h"

#include <ostream>

namespace dutybook::cli {

namespace {

struct CreateOptions {
    std::string name, parent;
};

Result<int> list_spaces(Session& session) {
    TRY_ASSIGN(const Json answer, session.get("/v1/spaces"));
    Table table({"SPACE", "PARENT"});
    for (const auto& one : answer.value("items", Json::array())) {
        if (session.json()) print_json(session.out(), one);
        table.add({text_of(one, "name"), text_of(one, "parent")});
    }
    if (!session.json() && !table.empty()) table.print(session.out());
    return done;
}

}  // namespace

void add_space_commands(Commands& commands) {
    auto& session = commands.session;
    auto& spaces = group(commands, "space", "The spaces of this daemon.");
    command(commands, spaces, "list", "Lists the spaces.", "space list",
            [&session] { return list_spaces(session); });
    auto options = std::make_shared<CreateOptions>();
    auto& create =
        command(commands, spaces, "create", "Makes a space, under a parent if one is named.",
                "space create north --parent district", [&session, options]() -> Result<int> {
                    Json body = {{"name", options->name}};
                    if (!options->parent.empty()) body["parent"] = options->parent;
                    TRY_ASSIGN(const Json space, session.post("/v1/spaces", body));
                    if (session.json()) {
                        print_json(session.out(), space);
                    } else {
                        session.out() << "made the space " << text_of(space, "name") << '\n';
                        print_recovery_key(session, space);
                    }
                    return done;
                });
    create.add_option("name", options->name, "small letters, digits and -")->required();
    create.add_option("--parent", options->parent, "a space of this daemon");
}

}  // namespace dutybook::cli
