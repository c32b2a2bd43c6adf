#include "cli/import_files.h"

#include "base/file.h"
#include "formats/csv.h"
#include "formats/mapping_value.h"
#include "formats/zip.h"

#include <algorithm>

namespace dutybook::cli {

namespace fs = std::filesystem;
using formats::lower_case;

namespace {

constexpr const char* manifest = "manifest.csv";

}  // namespace

Result<ImportFiles> ImportFiles::open(const fs::path& path, const std::vector<std::string>& names) {
    ImportFiles files;
    const auto take = [&](const std::string& name, std::string text) {
        files.names_[lower_case(name)] = name;
        files.texts_[lower_case(name)] = std::move(text);
    };
    std::error_code failed;
    if (fs::is_directory(path, failed)) {
        for (const auto& entry : fs::directory_iterator(path, failed)) {
            const std::string name = entry.path().filename().string();
            const bool wanted = std::any_of(names.begin(), names.end(), [&](const auto& each) {
                return lower_case(each) == lower_case(name);
            });
            if (!wanted && lower_case(name) != manifest) continue;
            TRY_ASSIGN(std::string text, read_file(entry.path()));
            take(name, std::move(text));
        }
    } else if (formats::is_zip(path)) {
        TRY_ASSIGN(auto all, formats::read_zip(path));
        for (auto& [name, text] : all) take(name, std::move(text));
    } else {
        TRY_ASSIGN(std::string text, read_file(path));
        take(path.filename().string(), std::move(text));
        files.single_ = true;
        return files;
    }
    TRY(files.read_manifest());
    return files;
}

const std::string* ImportFiles::text_of(const std::string& name) const {
    const auto found = single_ ? texts_.begin() : texts_.find(lower_case(name));
    return found == texts_.end() ? nullptr : &found->second;
}

std::string ImportFiles::shown(const std::string& name) const {
    const auto found = single_ ? names_.begin() : names_.find(lower_case(name));
    return found == names_.end() ? name : found->second;
}

std::string ImportFiles::mode_of(const std::string& name) const {
    const auto found = modes_.find(lower_case(name));
    return found == modes_.end() ? "" : found->second;
}

// "file.users,delta" -> users.csv is delta.
Result<void> ImportFiles::read_manifest() {
    const std::string* const text = text_of(manifest);
    if (text == nullptr) return {};
    return formats::read_csv(*text, [this](const formats::CsvRow& row) {
        const std::string name =
            row.cells.empty() ? "" : lower_case(formats::trimmed(row.cells.front()));
        if (row.cells.size() >= 2 && name.starts_with("file.")) {
            modes_[name.substr(5) + ".csv"] = lower_case(formats::trimmed(row.cells[1]));
        }
        return true;
    });
}

}  // namespace dutybook::cli
