// doctor
#include "cli/commands_upkeep.h"
#include "cli/run.h"

#include <ostream>

namespace dutybook::cli {

namespace {

void print_line(std::ostream& out, const Json& line) {
    const auto level = text_of(line, "level");
    out << level << std::string(level.size() < 5 ? 5 - level.size() : 1, ' ')
        << text_of(line, "check") << ": " << text_of(line, "what");
    if (const auto fix = text_of(line, "fix"); !fix.empty() && level != "ok") {
        out << "\n     -> " << fix;
    }
    out << '\n';
}

// 0 all is well, or only warnings; 7 a person must act.
Result<int> doctor(Session& session, const Offline& offline) {
    TRY_ASSIGN(const auto store, session.store());
    auto answer = session.get("/v1/doctor");
    if (!answer && exit_code(answer.error()) != no_daemon) return answer.error();
    const Json lines = answer ? *answer : offline.doctor(store);
    int code = done;
    for (const auto& line : lines.value("items", Json::array())) {
        if (text_of(line, "level") == "fail") code = needs_person;
        session.json() ? print_json(session.out(), line) : print_line(session.out(), line);
    }
    return code;
}

}  // namespace

void add_doctor_command(Commands& commands) {
    auto& session = commands.session;
    const auto& offline = commands.offline;
    command(commands, commands.root, "doctor",
            "Looks at permissions, keys, the disk, the clock, versions and remotes, in seconds; "
            "changes nothing. Each line is ok, warn or fail and says what to do; exit 7 if any "
            "fails. Works without a daemon too.",
            "doctor", [&session, &offline] { return doctor(session, offline); });
}

}  // namespace dutybook::cli
