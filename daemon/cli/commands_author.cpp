// plugin new lint test bench: the author's tools, which need no daemon.
#include "cli/command.h"
#include "cli/run.h"

#include <algorithm>
#include <ostream>

namespace dutybook::cli {

void add_author_commands(Commands& commands) {
    auto& plugins = group_made(commands, "plugin");
    auto& session = commands.session;
    const Offline& offline = commands.offline;
    auto folders = std::make_shared<std::vector<std::string>>();
    auto& lint = command(commands, plugins, "lint", "Finds mistakes without running a rule.",
                         "plugin lint ./bus_duty", [&session, &offline, folders]() -> Result<int> {
                             int worst = done;
                             for (const auto& folder : *folders) {
                                 const Offline::PluginFolder wanted{
                                     folder, session.settings().store, session.json()};
                                 worst = std::max(worst, offline.lint(wanted, session.out()));
                             }
                             return worst;
                         });
    lint.add_option("folder", *folders, "of the plugin; several may be named")->required();

    auto folder = std::make_shared<std::string>();
    auto& bench =
        command(commands, plugins, "bench", "How fast it judges the records of its test cases.",
                "plugin bench ./bus_duty", [&session, &offline, folder]() -> Result<int> {
                    return offline.bench({*folder, session.settings().store, session.json()},
                                         session.out());
                });
    bench.add_option("folder", *folder, "of the plugin")->required();

    auto test = std::make_shared<Offline::PluginTest>();
    auto& tests = command(commands, plugins, "test", "Runs the plugin's tests/*.json.",
                          "plugin test ./bus_duty --permute --coverage",
                          [&session, &offline, test]() -> Result<int> {
                              test->json = session.json();
                              test->store = session.settings().store;
                              return offline.test(*test, session.out());
                          });
    tests.add_option("folder", test->folder, "of the plugin")->required();
    tests.add_flag("--permute", test->permute, "try every order of arrival");
    tests.add_flag("--coverage", test->coverage, "name rules and codes that nothing exercised");
    tests.add_flag("--bless", test->bless, "write what came out as what is expected");
    tests.add_option("--only", test->only, "cases whose name or file holds this text");

    auto made = std::make_shared<Offline::NewPlugin>();
    auto& fresh = command(
        commands, plugins, "new", "Makes a runnable plugin with tests.",
        "plugin new bus_duty --from blank", [&session, &offline, made]() -> Result<int> {
            TRY(offline.make_plugin(*made));
            if (session.json()) {
                print_json(session.out(), {{"plugin", made->name}, {"from", made->from}});
                return done;
            }
            session.out() << "made " << made->name << "; now edit it and run `dutybook plugin test "
                          << made->name << "`\n";
            return done;
        });
    fresh.add_option("name", made->name, "folder to make; small letters, digits and _")->required();
    fresh.add_option("--from", made->from, "education, medical, legal or blank")
        ->default_val("blank");
    fresh.add_option("--runtime", made->runtime, "lua or native")
        ->default_val("lua")
        ->check(CLI::IsMember({"lua", "native"}));
}

}  // namespace dutybook::cli
