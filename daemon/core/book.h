#pragma once
// The store directory: a site's identity and its spaces. The only place that knows where files
// lie. Layout of DIR (0700, everything below is the service user's alone):
//
//   site.json               format, site id, name, zone; machine id, device and inode (to find out
//                           that this directory was copied or restored)
//   lock                    pid of the running daemon, which holds a flock on DIR itself
//   keys/                   the site's key pairs (keyring.h; secret halves 0600)
//   gitconfig               GIT_CONFIG_GLOBAL of transfer children: includes the administrator's
//   run/dutybook.sock       the socket, while a daemon runs
//   spaces/<name>/space.json       id, name, parent
//   spaces/<name>/remotes.json     remotes and what was last seen of each
//   spaces/<name>/keys.json, control.json, invite.json, introductions.json
//                           keys of the space's epochs, who belongs to it (space_keys.h, circle.h)
//   spaces/<name>/journal.db       acknowledged operations
//   spaces/<name>/log.git          sealed segments, everybody's
//   spaces/<name>/quarantine.git   what a transfer brings, until checked
//   spaces/<name>/index.db         disposable
//
// JSON files are written atomically and have a schema in schemas/.

#include "core/space_service.h"

#include <filesystem>
#include <map>
#include <memory>

namespace dutybook::core {

class Circle;

struct Site {
    std::string id;  // base32 of the public key's hash, 26 characters
    std::string name;
    std::string zone;
    std::string public_key;  // OpenSSH line
};

struct SpaceRecord {  // space.json
    std::string id, name, parent;
};

struct BookOptions {
    std::filesystem::path directory;
    std::filesystem::path schemas;  // folder with kinds/
    const Clock* clock = nullptr;
    rules::Evaluator* evaluator = nullptr;
    const rules::Kinds* kinds = nullptr;  // null: the core's alone, from `schemas`
    // For tests and measurements: opens a space that says that it is not encrypted. Else such a
    // one is refused: nobody makes them, so somebody changed its space.json.
    bool plain_spaces = false;
    SpaceService::Listener listener;
    std::function<void(const std::string& line)> progress;  // start-up, for people
};

class Book {
public:
    // `init`: makes directory, keys, site.json and a first space. Refuses a directory that has one.
    static Result<Site> create(const std::filesystem::path& directory, const std::string& site_name,
                               const std::string& zone, const Clock& clock);
    // Takes the lock, finds out whether the directory moved, starts every space.
    static Result<std::unique_ptr<Book>> open(BookOptions options);
    ~Book();

    const Site& site() const;
    const std::filesystem::path& directory() const;
    const rules::Kinds& kinds() const;

    std::vector<SpaceService*> spaces();                        // sorted by name
    SpaceService* space(const std::string& name);               // null if unknown
    Circle* circle(const std::string& space);                   // null if unknown, or a plain one
    Result<SpaceService*> open_space(const std::string& name);  // whose folder was just made
    // Another key pair for the site. Each space follows: at once where this site holds the pen,
    // else as soon as who does has met the announcement.
    Result<void> renew_keys();
    std::filesystem::path space_directory(const std::string& name) const;

private:
    struct State;
    explicit Book(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Offline pieces for `init` and `join` (no daemon): add a space's folder to a store.
Result<void> write_space_folder(const std::filesystem::path& directory, const SpaceRecord& record);
// The time zone of a store's site; UTC if it cannot be read.
std::string zone_of(const std::filesystem::path& directory);

}  // namespace dutybook::core
