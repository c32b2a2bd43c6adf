#pragma once
// The files of a ZIP archive (libzip), read and written whole.

#include "base/result.h"

#include <filesystem>
#include <map>
#include <string>

namespace dutybook::formats {

bool is_zip(const std::filesystem::path& file);
// Base name -> bytes. A file in a folder inside the archive goes by its base name. Refuses archives
// that are damaged or encrypted, and more than 1,000 files or 512 MiB unpacked.
Result<std::map<std::string, std::string>> read_zip(const std::filesystem::path& file);

// Replaces what is there. File name -> bytes.
Result<void> write_zip(const std::filesystem::path& file,
                       const std::map<std::string, std::string>& files);

}  // namespace dutybook::formats
