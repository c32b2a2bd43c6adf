#include "store/versions.h"

#include <git2.h>
#include <sqlite3.h>

namespace dutybook::store {

LibraryVersions library_versions() {
    int first = 0, second = 0, third = 0;
    git_libgit2_version(&first, &second, &third);
    return {std::to_string(first) + "." + std::to_string(second) + "." + std::to_string(third),
            sqlite3_libversion()};
}

}  // namespace dutybook::store
