#pragma once
// Goes over the records of one space that a plugin brings to the shape of today, and writes what
// changes as ordinary operations of the person who asked for it. What stopped in the middle is done
// by the next run: a record that is migrated already has nothing left to do.

#include "core/space_service.h"
#include "rules/migration.h"

#include <functional>
#include <string>
#include <vector>

namespace dutybook::core {

struct Migration {
    std::vector<std::string> kinds;
    std::string reason;  // that history tells
    Caller caller;
    std::function<void(std::uint64_t done, std::uint64_t all)> progress;  // may be empty
};

struct Unmigrated {
    std::string record, kind;
    Error why;
};

struct Migrated {
    std::uint64_t records = 0;  // that were looked at
    std::uint64_t old = 0;      // of an older shape, that can be migrated
    std::uint64_t changed = 0;  // by now
    std::vector<Unmigrated> failed;
    void add(Migrated other);
};

// Writes nothing. An error is one of the store's, or Code::Unavailable: the plugin is down.
Result<Migrated> look_for_old(SpaceService& space, const rules::ActivePlugin& plugin,
                              const rules::Kinds& kinds, const Migration& how);
// The same, and then writes.
Result<Migrated> migrate(SpaceService& space, const rules::ActivePlugin& plugin,
                         const rules::Kinds& kinds, const Migration& how);

}  // namespace dutybook::core
