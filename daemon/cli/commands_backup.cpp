// backup restore-backup
//
// Both work on the store's files, beside a running daemon or without one, so that the passphrase
// and the keys in the store go through no socket. They need the account that the store belongs to.
#include "cli/commands_upkeep.h"
#include "cli/invitation.h"
#include "cli/run.h"
#include "cli/terminal.h"

#include <unistd.h>

#include <ostream>

namespace dutybook::cli {

namespace {

Result<std::string> words(const Session& session, bool is_new) {
    TRY_ASSIGN(const auto given, passphrase(session.err(), is_new));
    if (given) return *given;
    return usage_error("a backup has a passphrase", "set DUTYBOOK_PASSPHRASE");
}

// At a terminal one line that is written over; a log sees only the beginning of each step.
auto show_progress(std::ostream& err) {
    return [&err, last = std::string()](const std::string& step, std::uint64_t done,
                                        std::uint64_t all) mutable {
        constexpr std::uint64_t mib = 1 << 20;
        if (::isatty(STDERR_FILENO) == 1) {
            std::string line = step;
            if (all > 1)
                line +=
                    ' ' + std::to_string(done / mib) + " of " + std::to_string(all / mib) + " MiB";
            err << over_line(std::move(line));
            if (done >= all) err << '\n';
            err << std::flush;
        } else if (step != last) {
            err << step << '\n';
        }
        last = step;
    };
}

void print_done(const Session& session, const Json& answer, const std::string& sentence) {
    if (session.json()) {
        print_json(session.out(), answer);
    } else {
        session.out() << sentence << '\n';
    }
}

Result<int> backup(Session& session, const Offline& offline, const std::string& file) {
    TRY_ASSIGN(const auto store, session.store());
    TRY_ASSIGN(const auto secret, words(session, true));
    TRY_ASSIGN(const Json answer,
               offline.backup({store, file, secret, show_progress(session.err())}));
    print_done(session, answer,
               "wrote " + file + ", " + text_of(answer, "bytes") +
                   " bytes; keep it on another machine, and the passphrase somewhere else");
    return done;
}

Result<int> restore(Session& session, const Offline& offline, const std::string& file,
                    const std::string& directory) {
    std::filesystem::path store = directory;
    if (store.empty()) {
        TRY_ASSIGN(store, session.store());
    }
    TRY_ASSIGN(const auto secret, words(session, false));
    TRY_ASSIGN(const Json answer,
               offline.restore({store, file, secret, show_progress(session.err())}));
    print_done(session, answer,
               "restored " + store.string() +
                   "; start its daemon, then `dutybook sync` brings "
                   "what was written since. The old store, if it still is, must not be used again");
    return done;
}

}  // namespace

void add_backup_commands(Commands& commands) {
    auto& session = commands.session;
    const auto& offline = commands.offline;
    auto file = std::make_shared<std::string>();
    auto directory = std::make_shared<std::string>();
    auto& save = command(commands, commands.root, "backup",
                         "Writes the whole store, its keys included, as one encrypted file; the "
                         "daemon may run meanwhile. The passphrase comes from a prompt or from "
                         "DUTYBOOK_PASSPHRASE.",
                         "backup /media/stick/north.backup",
                         [&session, &offline, file] { return backup(session, offline, *file); });
    save.add_option("file", *file, "the file to write; one that is there is replaced at the end")
        ->required();
    auto& load = command(commands, commands.root, "restore-backup",
                         "Makes a store from a backup, in a directory that is not there yet. Its "
                         "logs go on under new writers, so it can meet every remote again.",
                         "restore-backup north.backup --dir /var/lib/dutybook/store",
                         [&session, &offline, file, directory] {
                             return restore(session, offline, *file, *directory);
                         });
    load.add_option("file", *file, "the backup")->required();
    load.add_option("--dir", *directory, "where to make the store; else --store");
}

}  // namespace dutybook::cli
