// verify repair rebuild, and those of commands_upkeep.h
#include "cli/commands_upkeep.h"

#include <algorithm>
#include <ostream>

namespace dutybook::cli {

namespace {

struct CareOptions {
    bool full = false, dry_run = false;
};

void print_damage(Session& session, const Json& answer) {
    auto& out = session.out();
    const Json damage = answer.value("damage", Json::array());
    out << text_of(answer, "space") << ": " << (damage.empty() ? "no damage found" : "damage found")
        << '\n';
    for (const auto& one : damage) {
        out << "  " << (one.value("lost", false) ? "LOST " : "") << text_of(one, "file") << ": "
            << text_of(one, "what");
        if (const auto how = text_of(one, "how"); !how.empty()) out << "; " << how;
        out << '\n';
    }
}

// 0: nothing is wrong. 6: all of it was healed. 7: a person must act. 8: something is lost.
int care_code(const Json& answer) {
    const Json damage = answer.value("damage", Json::array());
    if (damage.empty()) return answer.value("ok", true) ? done : needs_person;
    const auto has = [&damage](const auto& test) {
        return std::any_of(damage.begin(), damage.end(), test);
    };
    if (has([](const Json& one) { return one.value("lost", false); })) return loss;
    if (has([](const Json& one) { return !one.value("healed", false); })) return needs_person;
    return repaired;
}

Result<int> care(Session& session, const std::string& what, const Json& body) {
    int code = done;
    TRY(session.task(session.in_space(what), body, [&](const Json& answer) {
        code = std::max(code, care_code(answer));
        if (session.json()) {
            print_json(session.out(), answer);
        } else {
            print_damage(session, answer);
        }
    }));
    return code;
}

Result<int> rebuild(Session& session) {
    bool ok = true;
    TRY(session.task(session.in_space("rebuild"), Json(), [&](const Json& answer) {
        ok = ok && answer.value("ok", true);
        if (session.json()) {
            print_json(session.out(), answer);
        } else {
            session.out() << text_of(answer, "space") << ": rebuilt, " << text_of(answer, "records")
                          << " records of " << text_of(answer, "operations")
                          << " operations, digest " << text_of(answer, "digest") << '\n';
        }
    }));
    return ok ? done : needs_person;
}

}  // namespace

void add_care_commands(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<CareOptions>();
    auto& verify = command(
        commands, commands.root, "verify",
        "Reads the log and the journal, and names what is damaged. Exit 7 if any is, 6 if all "
        "of it was healed.",
        "verify --full", [&session, options] {
            return care(session, "verify", Json{{"full", options->full}});
        });
    verify.add_flag("--full", options->full,
                    "decode every segment too, fold everything again and compare the digests");
    auto& repair = command(
        commands, commands.root, "repair",
        "Heals what verify names, from the journal or a remote. Nothing is deleted. Exit 6 if "
        "all is well again, 7 if a person must act, 8 if something is lost.",
        "repair --dry-run", [&session, options] {
            return care(session, "repair", Json{{"dry_run", options->dry_run}});
        });
    repair.add_flag("--dry-run", options->dry_run, "say what would be done");
    command(commands, commands.root, "rebuild",
            "Makes the index anew from the log and the journal.", "rebuild",
            [&session] { return rebuild(session); });
    add_doctor_command(commands);
    add_backup_commands(commands);
}

}  // namespace dutybook::cli
