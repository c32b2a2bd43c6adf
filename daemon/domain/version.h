#pragma once
// The version of a record whose hash is known already.

#include "base/crypto.h"

#include <string>

namespace dutybook::domain {

std::string version_of(const Hash& hash);

}  // namespace dutybook::domain
