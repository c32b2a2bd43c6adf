// Where the tests' data lies in the source tree. One object holds the path, so that the objects of
// the tests are the same in every checkout and the compiler cache can share them.
#pragma once

#include <filesystem>

namespace dutybook::tests {

std::filesystem::path source_dir();

}
