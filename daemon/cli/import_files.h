#pragma once
// Foreign files as the importer reads them: a folder, a ZIP archive, or one file.

#include "base/result.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace dutybook::cli {

class ImportFiles {
public:
    // Of a folder or an archive the files called `names` (upper and lower case alike); where they
    // are one, a single file may be called anything. Code::NotFound if there is nothing at `path`.
    static Result<ImportFiles> open(const std::filesystem::path& path,
                                    const std::vector<std::string>& names);

    const std::string* text_of(const std::string& name) const;  // null if it is absent
    // The name that it really has, for messages.
    std::string shown(const std::string& name) const;

    // Files that were not UTF-8, for messages: name, encoding.
    const std::map<std::string, std::string>& encodings() const { return encodings_; }

    // What OneRoster's manifest.csv says of "users.csv": bulk, delta, absent; empty without one.
    std::string mode_of(const std::string& name) const;

private:
    Result<void> take(const std::string& name, std::string bytes);
    Result<void> read_manifest();

    std::map<std::string, std::string> texts_;      // by lower-case name
    std::map<std::string, std::string> names_;      // lower-case name -> as it is written
    std::map<std::string, std::string> modes_;      // lower-case name -> mode
    std::map<std::string, std::string> encodings_;  // as it is written -> what it was in
    bool single_ = false;
};

}  // namespace dutybook::cli
