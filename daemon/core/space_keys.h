#pragma once
// The keys of a space's epochs at this site.
//
// spaces/<name>/keys.json (0600; schemas/space-keys.schema.json):
//   {"epochs":[[1,"<base64 of 32 bytes>"]],"format":1}
// An invitation carries the same member "epochs". Whoever has them reads the whole space: losing
// the file loses nothing that another site of the space still has, showing it shows everything.

#include "base/json.h"
#include "domain/membership.h"

#include <filesystem>

namespace dutybook::core {

// Epoch 1 of a new space.
domain::EpochKeys first_epoch();

Json epochs_json(const domain::EpochKeys& keys);
// At least one. Code::Malformed with a pointer.
Result<domain::EpochKeys> epochs_from(const Json& epochs);

// Puts the keys of a space that is to be made into its folder, or sees that none are there if it is
// not to be encrypted: write_space_folder() then marks the space as "sealed" in space.json, and
// from there on it does not open without its keys. Code::Exists if the space is there already.
Result<void> prepare_space_keys(const std::filesystem::path& folder, const domain::EpochKeys& keys);
// Whether the space's segments are encrypted.
Result<bool> is_sealed(const std::filesystem::path& folder);

// Code::Corrupt, with what to do, if the file is missing or damaged.
Result<domain::EpochKeys> read_space_keys(const std::filesystem::path& folder);
Result<void> write_space_keys(const std::filesystem::path& folder, const domain::EpochKeys& keys);

}  // namespace dutybook::core
