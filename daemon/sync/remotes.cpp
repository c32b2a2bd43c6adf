#include "sync/remotes.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/kept_file.h"
#include "sync/remote_url.h"
#include "sync/schedule.h"

#include <algorithm>

namespace dutybook::sync {
namespace {

// Hundreds of refs for each of a few remotes.
constexpr std::size_t file_limit = 64u << 20;

Json instant(Millis at) {
    return at == 0 ? Json() : Json(format_utc(at));
}

Json text_or_null(const std::string& text) {
    return text.empty() ? Json() : Json(text);
}

std::string text_of(const Json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

Result<Millis> instant_of(const Json& object, const char* key) {
    const std::string text = text_of(object, key);
    if (text.empty()) return Millis{0};
    return parse_instant(text);
}

Transfer::Refs refs_of(const Json& object, const char* key) {
    Transfer::Refs refs;
    const auto at = object.find(key);
    if (at == object.end() || !at->is_object()) return refs;
    for (const auto& [ref, commit] : at->items())
        if (commit.is_string()) refs[ref] = commit.get<std::string>();
    return refs;
}

Json to_json(const RemoteRecord& record) {
    const RemoteConfig& config = record.config;
    // Most often the two are the same; only what was lost is written beside the list.
    Json lost = Json::object();
    for (const auto& [ref, commit] : record.remembered) {
        const auto now = record.listed.find(ref);
        if (now == record.listed.end() || now->second != commit) lost[ref] = commit;
    }
    return {{"name", config.name},
            {"url", config.url},
            {"window_from", text_or_null(config.window_from)},
            {"window_to", text_or_null(config.window_to)},
            {"window_zone", text_or_null(config.window_zone)},
            {"timeout_ms", config.timeout},
            {"create", config.create},
            {"added", instant(record.added)},
            {"last_attempt", instant(record.last_attempt)},
            {"last_success", instant(record.last_success)},
            {"error", text_or_null(record.error)},
            {"listed", record.listed},
            {"lost", std::move(lost)}};
}

Result<RemoteRecord> from_json(const Json& object) {
    RemoteRecord record;
    record.config.name = text_of(object, "name");
    record.config.url = text_of(object, "url");
    record.config.window_from = text_of(object, "window_from");
    record.config.window_to = text_of(object, "window_to");
    record.config.window_zone = text_of(object, "window_zone");
    if (const auto at = object.find("timeout_ms"); at != object.end() && at->is_number_integer())
        record.config.timeout = at->get<Millis>();
    if (const auto at = object.find("create"); at != object.end() && at->is_boolean())
        record.config.create = at->get<bool>();
    TRY(check_remote_config(record.config));
    TRY_ASSIGN(record.added, instant_of(object, "added"));
    TRY_ASSIGN(record.last_attempt, instant_of(object, "last_attempt"));
    TRY_ASSIGN(record.last_success, instant_of(object, "last_success"));
    record.error = text_of(object, "error");
    record.listed = refs_of(object, "listed");
    record.remembered = record.listed;
    for (const auto& [ref, commit] : refs_of(object, "lost")) record.remembered[ref] = commit;
    return record;
}

bool valid_name(const std::string& name) {
    constexpr std::string_view letters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    return !name.empty() && name.size() <= 64 && letters.find(name[0]) != std::string_view::npos &&
           name.find_first_not_of(std::string(letters) + "._-") == std::string::npos;
}

Error broken(const std::filesystem::path& file, const std::string& why) {
    return failure(Code::Corrupt, file.string() + " cannot be read", why,
                   "correct it, or remove it and add the remotes again");
}

}  // namespace

RemoteRecord* RemoteFile::find(const std::string& name) {
    for (RemoteRecord& record : remotes)
        if (record.config.name == name) return &record;
    return nullptr;
}

Result<void> check_remote_config(const RemoteConfig& remote) {
    if (!valid_name(remote.name))
        return malformed("a remote's name is 1 to 64 letters, digits and ._-, such as hub");
    TRY(parse_remote_url(remote.url));
    TRY(window_of(remote));
    if (remote.timeout < 1) return malformed("a remote's timeout is a number of seconds above 0");
    return {};
}

std::filesystem::path remotes_path(const std::filesystem::path& space_directory) {
    return space_directory / "remotes.json";
}

Result<RemoteFile> load_remotes(const std::filesystem::path& file) {
    RemoteFile remotes;
    std::error_code ignored;
    if (!fs::exists(file, ignored)) return remotes;
    TRY_ASSIGN(const std::string text, read_file(file, file_limit));
    const auto json = parse_json(text, {8, file_limit});
    if (!json) return broken(file, json.error().text());
    const auto format = json->find("format");
    if (format == json->end() || *format != 1)
        return failure(Code::NewerFormat, file.string() + " was written by a newer Dutybook", {},
                       "update Dutybook");
    const auto list = json->find("remotes");
    if (list == json->end() || !list->is_array()) return broken(file, "it lists no remotes");
    for (const Json& object : *list) {
        if (!object.is_object()) return broken(file, "a remote is no object");
        auto record = from_json(object);
        if (!record) return broken(file, record.error().text());
        if (remotes.find(record->config.name) != nullptr)
            return broken(file, "two remotes are called " + record->config.name);
        remotes.remotes.push_back(std::move(*record));
    }
    TRY_ASSIGN(remotes.last_receipt, instant_of(*json, "last_receipt"));
    TRY_ASSIGN(remotes.last_maintained, instant_of(*json, "last_maintained"));
    return remotes;
}

Result<void> save_remotes(const std::filesystem::path& file, const RemoteFile& remotes) {
    Json list = Json::array();
    for (const RemoteRecord& record : remotes.remotes) list.push_back(to_json(record));
    const Json json = {{"format", 1},
                       {"remotes", std::move(list)},
                       {"last_receipt", instant(remotes.last_receipt)},
                       {"last_maintained", instant(remotes.last_maintained)}};
    return write_kept(file, json.dump(1) + "\n");
}

}  // namespace dutybook::sync
