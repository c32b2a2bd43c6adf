#pragma once
// Versions of the libraries that are loaded, as they say themselves.

#include <string>

namespace dutybook::store {

struct LibraryVersions {
    std::string git, sqlite;
};
LibraryVersions library_versions();

}  // namespace dutybook::store
