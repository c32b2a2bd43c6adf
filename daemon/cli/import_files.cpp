#include "cli/import_files.h"

#include "base/file.h"
#include "formats/csv.h"
#include "formats/encoding.h"
#include "formats/mapping_value.h"
#include "formats/zip.h"

#include <set>

namespace dutybook::cli {

namespace fs = std::filesystem;
using formats::lower_case;

namespace {

constexpr const char* manifest = "manifest.csv";

// Each once: a mapping may read a file several times.
std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : std::set<std::string>(names.begin(), names.end())) {
        out += (out.empty() ? "" : ", ") + name;
    }
    return out;
}

}  // namespace

Result<ImportFiles> ImportFiles::open(const fs::path& path, const std::vector<std::string>& names) {
    ImportFiles files;
    std::set<std::string> wanted;
    for (const auto& name : names) wanted.insert(lower_case(name));
    const auto is_wanted = [&](const std::string& name) {
        return wanted.count(lower_case(name)) != 0 || lower_case(name) == manifest;
    };
    std::error_code failed;
    if (fs::is_directory(path, failed)) {
        for (const auto& entry : fs::directory_iterator(path, failed)) {
            const std::string name = entry.path().filename().string();
            if (!is_wanted(name)) continue;
            TRY_ASSIGN(std::string text, read_file(entry.path()));
            TRY(files.take(name, std::move(text)));
        }
    } else if (formats::is_zip(path)) {
        TRY_ASSIGN(auto all, formats::read_zip(path));
        for (auto& [name, text] : all) {
            if (is_wanted(name)) TRY(files.take(name, std::move(text)));
        }
    } else {
        TRY_ASSIGN(std::string text, read_file(path));
        const std::string name = path.filename().string();
        TRY(files.take(name, std::move(text)));
        files.single_ = wanted.size() == 1 || !is_wanted(name);
        if (files.single_ && wanted.size() > 1) {
            return failure(Code::NotFound, name + " is none of the mapping's files",
                           "these are " + joined(names), "name it so, or give the folder");
        }
        return files;
    }
    TRY(files.read_manifest());
    return files;
}

Result<void> ImportFiles::take(const std::string& name, std::string bytes) {
    auto text = formats::decoded(std::move(bytes));
    if (!text) {
        Error error = text.error();
        error.what = name + ": " + error.what;
        return error;
    }
    if (!text->encoding.empty()) encodings_[name] = text->encoding;
    names_[lower_case(name)] = name;
    texts_[lower_case(name)] = std::move(text->text);
    return {};
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
