// sync status
#include "cli/command.h"

#include <iomanip>
#include <ostream>

namespace dutybook::cli {

namespace {

std::string seconds_text(const Json& outcome) {
    const auto seconds = outcome.find("seconds");
    if (seconds == outcome.end() || !seconds->is_number()) return "?";
    std::ostringstream out;
    out << std::fixed << std::setprecision(1) << seconds->get<double>();
    return out.str();
}

// The outcome's error is a text, or a problem.
std::string error_text(const Json& outcome) {
    const auto error = outcome.find("error");
    if (error == outcome.end() || error->is_null()) return {};
    if (error->is_object()) return error_of(*error, 500).text();
    return one_line(*error);
}

void print_outcome(Session& session, const Json& outcome) {
    if (session.json()) {
        print_json(session.out(), outcome);
        return;
    }
    const bool ok = outcome.value("ok", false);
    (ok ? session.out() : session.err())
        << text_of(outcome, "space") << " with " << text_of(outcome, "remote") << ": "
        << (ok ? "received " : "FAILED: " + error_text(outcome) + "; received ")
        << text_of(outcome, "operations_in") << " and sent " << text_of(outcome, "operations_out")
        << " operations (" << text_of(outcome, "bytes_in") << " and "
        << text_of(outcome, "bytes_out") << " bytes) in " << seconds_text(outcome) << " s\n";
}

Result<int> sync(Session& session, const std::string& remote) {
    bool all_well = true;
    const Json body = remote.empty() ? Json::object() : Json{{"remote", remote}};
    TRY(session.task(session.in_space("sync"), body, [&](const Json& outcome) {
        all_well = all_well && outcome.is_object() && outcome.value("ok", false);
        print_outcome(session, outcome);
    }));
    return all_well ? done : failed;
}

void print_remote(std::ostream& out, const Json& remote) {
    out << "  remote " << text_of(remote, "name") << "  " << text_of(remote, "url") << '\n';
    const auto last = text_of(remote, "last_success");
    out << "    " << (last.empty() ? "never synced" : "last synced " + last);
    const auto undelivered = text_of(remote, "undelivered");
    if (undelivered == "0") {
        out << ", everything delivered";
    } else {
        out << ", " << undelivered << " operations not yet delivered";
    }
    const auto next = text_of(remote, "next_window");
    if (!next.empty()) out << ", next window " << next;
    out << '\n';
    if (const auto error = error_text(remote); !error.empty()) out << "    ERROR " << error << '\n';
}

void print_space(std::ostream& out, const Json& space) {
    out << "space " << text_of(space, "name") << "  " << text_of(space, "records") << " records, "
        << text_of(space, "operations") << " operations, " << text_of(space, "unsealed")
        << " not yet sealed, " << text_of(space, "unchecked") << " unchecked\n"
        << "  digest " << text_of(space, "digest") << '\n';
    for (const auto& one : space.value("remotes", Json::array())) print_remote(out, one);
    for (const auto& peer : space.value("peers", Json::array())) {
        const auto name = text_of(peer, "name");
        out << "  peer " << (name.empty() ? text_of(peer, "site") : name) << "  holds "
            << text_of(peer, "holds_of_ours") << " of our operations, last heard "
            << text_of(peer, "last_heard") << '\n';
    }
    for (const auto& warning : space.value("warnings", Json::array())) {
        out << "  warning: " << one_line(warning) << '\n';
    }
    for (const auto& alarm : space.value("alarms", Json::array())) {
        out << "  ALARM " << (alarm.is_object() ? text_of(alarm, "message") : one_line(alarm))
            << '\n';
    }
}

// What a monitor must hear about.
std::vector<std::string> troubles(const Json& status) {
    std::vector<std::string> out;
    for (const auto& space : status.value("spaces", Json::array())) {
        const auto name = text_of(space, "name");
        for (const auto& alarm : space.value("alarms", Json::array())) {
            out.push_back(name + ": " +
                          (alarm.is_object() ? text_of(alarm, "message") : one_line(alarm)));
        }
        for (const auto& remote : space.value("remotes", Json::array())) {
            if (!remote.value("missed_night", false)) continue;
            out.push_back(name + ": the last night's sync with " + text_of(remote, "name") +
                          " was missed: " + error_text(remote));
        }
    }
    for (const auto& plugin : status.value("plugins", Json::array())) {
        const auto state = text_of(plugin, "state");
        if (state == "quarantined" || state == "failed") {
            out.push_back("plugin " + text_of(plugin, "id") + " is " + state);
        }
    }
    return out;
}

Result<int> status(Session& session, bool check) {
    TRY_ASSIGN(const Json answer, session.get("/v1/status"));
    auto& out = session.out();
    const auto found = check ? troubles(answer) : std::vector<std::string>();
    if (session.json()) {
        print_json(out, answer);
    } else if (check) {
        for (const auto& one : found) out << "ALARM " << one << '\n';
        if (found.empty()) out << "ok\n";
    } else {
        const Json site = answer.value("site", Json::object());
        out << "site " << text_of(site, "name") << "  " << text_of(site, "id") << "  version "
            << text_of(site, "version") << '\n';
        for (const auto& space : answer.value("spaces", Json::array())) print_space(out, space);
        for (const auto& plugin : answer.value("plugins", Json::array())) {
            out << "plugin " << text_of(plugin, "id") << ' ' << text_of(plugin, "version") << "  "
                << text_of(plugin, "state") << '\n';
        }
    }
    return found.empty() ? done : failed;
}

}  // namespace

void add_sync_commands(Commands& commands) {
    auto& session = commands.session;
    auto remote = std::make_shared<std::string>();
    auto& app = command(commands, commands.root, "sync",
                        "Fetches and pushes now, with every remote or one.", "sync --remote hub",
                        [&session, remote] { return sync(session, *remote); });
    app.add_option("--remote", *remote, "this remote only");
    auto check = std::make_shared<bool>(false);
    auto& state = command(commands, commands.root, "status", "The whole picture.", "status --check",
                          [&session, check] { return status(session, *check); });
    state.add_flag("--check", *check, "for monitoring: exit 1 on an alarm or a missed night");
}

}  // namespace dutybook::cli
