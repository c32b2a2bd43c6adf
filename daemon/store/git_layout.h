#pragma once
// A bare repository directory as Dutybook keeps it. HEAD and config are constants, so a damaged one
// is simply written again; whatever stood there is kept below damaged/.
//
// log.git/
//   HEAD, config      constants (below)
//   objects/, refs/   as git has them
//   dutybook-tips     last known tip of every ref (git_tips.h)
//   dutybook-remove   packs that a finished consolidation still has to remove (git_pack.h)
//   damaged/<time>/   what was found damaged, at its old relative path; never deleted by us

#include "store/git_objects.h"
#include "store/log.h"

namespace dutybook::store::git {

// A file of the repository, written atomically; a folder that stands in its place is moved aside.
Result<void> put_file(const fs::path& git_dir, const fs::path& file, std::string_view bytes);

// gc and maintenance are off because packs are ours to consolidate; big files are not compared for
// deltas, because a segment is compressed already and a hub would search in vain.
extern const std::string_view log_config;
extern const std::string_view quarantine_config;
extern const std::string_view head_text;

// Makes the repository if there is none (complete or not at all, also through a power loss), else
// puts right what can be put right from constants and names it.
Result<std::vector<Damage>> prepare_repository(const fs::path& git_dir, std::string_view config,
                                               const fs::path& aside);
// damaged/<UTC time>-<random>: where this run moves damaged files. Not made yet.
fs::path aside_folder(const fs::path& git_dir);

}  // namespace dutybook::store::git
