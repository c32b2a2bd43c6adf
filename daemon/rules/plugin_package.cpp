#include "rules/plugin_package.h"

#include "base/crypto.h"
#include "base/file.h"
#include "rules/json_lines.h"

#include <algorithm>
#include <array>

namespace dutybook::rules {

namespace {

constexpr std::size_t file_count_limit = 2000;

// What a package's folders hold: name, and how its files end.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> subfolders{
    {{"lua", ".lua"}, {"schemas", ".json"}, {"locales", ".json"}, {"tests", ".json"}}};

bool is_code_or_manifest(std::string_view name) {
    return name == "plugin.json" || name == "rules.lua" || name == "plugin.so";
}

bool is_plain_name(std::string_view name) {
    return !name.empty() && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
           });
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

// The folder's own name, however it was written: "bus_duty/", ".".
std::string name_of(const fs::path& folder) {
    fs::path path = fs::absolute(folder).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    return path.filename().string();
}

// What somebody meant to be read is never left out in silence.
Error unread(const std::string& name, const std::string& why, const std::string& fix) {
    return failure(Code::Malformed, name + " is not read", why, fix);
}

Result<void> check_entry(const fs::directory_entry& entry, const std::string& name) {
    std::error_code failed;
    if (entry.is_symlink(failed)) {
        return unread(name, "it is a symbolic link", "put the file itself there");
    }
    if (!entry.is_regular_file(failed)) return unread(name, "it is no file", "move it away");
    return {};
}

// Editors of some systems begin a text with a mark of its encoding.
Result<void> take_mark_off(std::string& bytes, const std::string& name) {
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
    if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
        return unread(name, "it is written in UTF-16", "save it as UTF-8");
    }
    return {};
}

// `plugin`: in front of the name in messages, "bus_duty/".
Result<void> add_file(const fs::path& path, const std::string& plugin, const std::string& name,
                      PackageFiles& files, std::size_t& size) {
    auto bytes = read_file(path, package_limit);
    if (!bytes) {
        return failure(bytes.error().code, plugin + name + " is not read", bytes.error().why,
                       bytes.error().fix);
    }
    if (!name.ends_with(".so")) TRY(take_mark_off(*bytes, plugin + name));
    size += bytes->size();
    if (size > package_limit || files.size() >= file_count_limit) {
        return failure(Code::TooLarge, plugin + name + " is not read",
                       "with it the plugin is larger than 4 MiB or 2,000 files",
                       "make it smaller, or two plugins of it");
    }
    files.emplace(name, std::move(*bytes));
    return {};
}

class Reader {
public:
    Reader(PackageFiles files, std::string name, const ManifestReader& manifests)
        : name_(std::move(name)), manifests_(manifests) {
        reading_.package.files = std::move(files);
    }

    PackageReading read() {
        read_manifest();
        if (!reading_.errors.empty()) return std::move(reading_);
        read_code();
        read_kinds();
        read_locales();
        reading_.package.digest = digest_of(reading_.package.files);
        return std::move(reading_);
    }

private:
    const std::string* file(const std::string& name) const {
        const auto found = reading_.package.files.find(name);
        return found == reading_.package.files.end() ? nullptr : &found->second;
    }
    std::string shown(const std::string& file) const { return name_ + "/" + file; }
    void complain(const std::string& what, const std::string& fix = {}) {
        reading_.errors.push_back(failure(Code::Malformed, what, {}, fix));
    }

    void read_manifest() {
        const std::string* text = file("plugin.json");
        if (text == nullptr) return complain(shown("plugin.json") + " is missing");
        auto read = manifests_.read(*text, shown("plugin.json"));
        reading_.package.manifest = std::move(read.manifest);
        reading_.errors = std::move(read.errors);
    }

    void read_code() {
        const Manifest& manifest = reading_.package.manifest;
        const bool needed = !manifest.rules.empty() || !manifest.completes.empty() ||
                            !manifest.reports.empty() || !manifest.migrated_kinds().empty();
        const char* name = manifest.native ? "plugin.so" : "rules.lua";
        const std::string* code = file(name);
        if (code == nullptr) {
            if (needed || manifest.native) {
                complain(shown(name) + " is missing",
                         manifest.native ? "build it against sdk/dutybook_plugin.h" : "");
            }
        } else if (!manifest.native) {
            for (const auto& [file, text] : reading_.package.files) {
                if (file.ends_with(".lua")) reading_.package.lua.emplace(file, text);
            }
        }
    }

    void read_kinds() {
        const Manifest& manifest = reading_.package.manifest;
        for (const ManifestKind& kind : manifest.kinds) {
            const std::string* text = file(kind.schema);
            if (text == nullptr) {
                complain(shown(kind.schema) + " is missing, kind " + kind.kind + " is in it");
                continue;
            }
            KindSource source{shown(kind.schema), *text, manifest.id};
            const auto alone = KindRegistry::build({&source, 1});
            if (!alone) {
                reading_.errors.push_back(alone.error());
            } else if ((*alone)->find(kind.kind) == nullptr) {
                Error error = malformed("does not describe kind " + kind.kind, "/x-kind");
                error.fix = "its \"x-kind\" must be \"" + kind.kind + "\"";
                reading_.errors.push_back(in_file(std::move(error), source.file, source.text));
            } else {
                reading_.package.kinds.push_back(std::move(source));
            }
        }
    }

    void read_locales() {
        for (const auto& [name, text] : reading_.package.files) {
            constexpr std::string_view folder = "locales/";
            constexpr std::string_view ending = ".json";
            if (!name.starts_with(folder) || !name.ends_with(ending)) continue;
            const std::string language =
                name.substr(folder.size(), name.size() - folder.size() - ending.size());
            const auto added = add_locale(reading_.package.manifest, language, text, shown(name));
            if (!added) reading_.errors.push_back(added.error());
        }
    }

    std::string name_;
    const ManifestReader& manifests_;
    PackageReading reading_;
};

}  // namespace

Result<PackageFiles> read_package_files(const fs::path& folder) {
    std::error_code failed;
    if (!fs::is_directory(folder, failed)) {
        return failure(Code::NotFound, folder.string() + " is no folder", {},
                       "name the folder that holds plugin.json");
    }
    const std::string plugin = name_of(folder) + "/";
    PackageFiles files;
    std::size_t size = 0;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
        const std::string name = entry.path().filename().string();
        if (!is_code_or_manifest(lower(name))) continue;
        if (!is_code_or_manifest(name)) {
            return unread(plugin + name, "its name is written in small letters", "rename it");
        }
        TRY(check_entry(entry, plugin + name));
        TRY(add_file(entry.path(), plugin, name, files, size));
    }
    for (const auto& [below, ending] : subfolders) {
        if (fs::is_symlink(folder / below, failed)) {
            return unread(plugin + std::string(below), "it is a symbolic link",
                          "put the folder itself there");
        }
        for (const auto& entry : fs::directory_iterator(folder / below, failed)) {
            const std::string name = entry.path().filename().string();
            const std::string path = std::string(below) + "/" + name;
            if (name.front() == '.' || !lower(name).ends_with(ending)) continue;
            if (!is_plain_name(name) || !name.ends_with(ending)) {
                return unread(plugin + path,
                              "a name has letters from a to z, digits, '_', '-' and '.', and ends "
                              "in " +
                                  std::string(ending) + ", so that it can travel everywhere",
                              "rename it");
            }
            TRY(check_entry(entry, plugin + path));
            TRY(add_file(entry.path(), plugin, path, files, size));
        }
    }
    return files;
}

PackageReading read_package(PackageFiles files, const std::string& name,
                            const ManifestReader& reader) {
    return Reader(std::move(files), name, reader).read();
}

PackageReading read_package_folder(const fs::path& folder, const ManifestReader& reader) {
    auto files = read_package_files(folder);
    if (!files) return PackageReading{{}, {files.error()}};
    PackageReading reading = read_package(std::move(*files), name_of(folder), reader);
    std::error_code failed;
    if (reading.package.manifest.native) {
        reading.package.object = fs::canonical(folder / "plugin.so", failed);
    }
    return reading;
}

bool may_travel(std::string_view file) {
    if (file == "plugin.json" || file == "rules.lua") return true;
    const auto slash = file.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string_view folder = file.substr(0, slash);
    const std::string_view name = file.substr(slash + 1);
    return is_plain_name(name) &&
           std::any_of(subfolders.begin(), subfolders.end(), [&](const auto& one) {
               return folder == one.first && name.ends_with(one.second);
           });
}

bool valid_plugin_id(std::string_view id) {
    const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
    return !id.empty() && id.size() <= 40 && letter(id.front()) &&
           std::all_of(id.begin(), id.end(),
                       [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

std::string digest_of(const PackageFiles& files) {
    std::string text;
    for (const auto& [name, bytes] : files) {
        text += std::to_string(name.size()) + ':' + name + std::to_string(bytes.size()) + ':';
        text += bytes;
    }
    return hex(blake2b("dutybook plugin", text));
}

}  // namespace dutybook::rules
