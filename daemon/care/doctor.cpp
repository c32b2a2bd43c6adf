#include "care/doctor.h"

#include "core/identity.h"
#include "core/space_keys.h"

namespace dutybook::care {

namespace {

// What keeps a space from being opened, as far as its files show it at a glance.
std::optional<Error> trouble_of(const std::filesystem::path& folder) {
    const auto space = core::read_space(folder);
    if (!space) return space.error();
    const auto sealed = core::is_sealed(folder);
    if (!sealed) return sealed.error();
    if (*sealed) {
        if (const auto keys = core::read_space_keys(folder); !keys) return keys.error();
    }
    std::error_code ignored;
    const auto journal = folder / "journal.db";
    const bool held = std::filesystem::exists(journal.string() + ".head", ignored);
    if (held && !std::filesystem::is_regular_file(journal, ignored))
        return failure(Code::Corrupt, journal.string() + " is missing", {},
                       "restore the store from a backup");
    return std::nullopt;
}

Line check_store(const std::filesystem::path& store) {
    const auto site = core::read_site(store);
    if (!site) return {"store", Level::Fail, site.error().text(), site.error().fix};
    for (const auto& missing : core::missing_spaces(store, *site))
        return {"store", Level::Fail,
                "the space " + missing.name + " is missing: its folder is gone", missing.fix};
    std::size_t spaces = 0;
    std::error_code failed;
    for (const auto& folder : std::filesystem::directory_iterator(store / "spaces", failed)) {
        if (auto wrong = trouble_of(folder.path())) {
            const std::string fix = wrong->fix.empty() ? "restore it from a backup" : wrong->fix;
            return {"store", Level::Fail, wrong->text(), fix};
        }
        ++spaces;
    }
    if (failed) {
        return {"store", Level::Fail, "its spaces cannot be listed: " + failed.message(),
                "restore the store from a backup"};
    }
    return {"store", Level::Ok,
            "site " + site->site.name + " with " + std::to_string(spaces) +
                (spaces == 1 ? " space" : " spaces"),
            ""};
}

void append(Lines& lines, Lines more) {
    for (auto& line : more) lines.push_back(std::move(line));
}

Line check_alarms(const FromDaemon& daemon) {
    if (daemon.alarms.empty()) return {"alarms", Level::Ok, "none stands", ""};
    std::string text = std::to_string(daemon.alarms.size()) +
                       (daemon.alarms.size() == 1 ? " stands: " : " stand; the first: ");
    return {"alarms", Level::Warn, text + daemon.alarms.front(), "see: dutybook status"};
}

}  // namespace

std::string_view name_of(Level level) {
    switch (level) {
        case Level::Ok:
            return "ok";
        case Level::Warn:
            return "warn";
        case Level::Fail:
            break;
    }
    return "fail";
}

Lines doctor(const DoctorOptions& options) {
    const Millis now = options.clock->now();
    Lines lines;
    lines.push_back(
        {"daemon", options.daemon ? Level::Ok : Level::Warn,
         options.daemon ? "it runs and answers" : "none answers on this store",
         options.daemon ? "" : "start it: dutybookd --store " + options.store.string()});
    lines.push_back(check_store(options.store));
    if (lines.back().level == Level::Fail && !std::filesystem::exists(options.store)) return lines;
    append(lines, check_permissions(options.store));
    append(lines, check_keys(options.store));
    append(lines, check_administrators(options.store));
    append(lines, check_locks(options.store, options.daemon != nullptr, now));
    append(lines, check_volume(options.store));
    append(lines, check_clock(options.store, options.daemon, now));
    append(lines, check_programs(options.supervise));
    append(lines, check_remotes(options));
    if (options.daemon) lines.push_back(check_alarms(*options.daemon));
    return lines;
}

}  // namespace dutybook::care
