#include "core/space_keys.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/kept_file.h"
#include "core/identity.h"

namespace dutybook::core {

namespace {

constexpr std::size_t most_epochs = 10'000;

Error unusable(const fs::path& path, const std::string& why) {
    return failure(Code::Corrupt, path.string() + " cannot be used", why,
                   "restore it from a backup of the store, or join the space again with a new "
                   "invitation");
}

}  // namespace

domain::EpochKeys first_epoch() {
    crypto_start();
    return {{1, Secret::random()}};
}

Json epochs_json(const domain::EpochKeys& keys) {
    Json out = Json::array();
    for (const auto& [epoch, key] : keys) out.push_back({epoch, base64(key.bytes())});
    return out;
}

Result<domain::EpochKeys> epochs_from(const Json& epochs) {
    const auto wrong = malformed("epochs are a list of [number, key in base64]", "/epochs");
    if (!epochs.is_array() || epochs.empty() || epochs.size() > most_epochs) return wrong;
    domain::EpochKeys keys;
    for (const Json& one : epochs) {
        if (!one.is_array() || one.size() != 2 || !one[0].is_number_integer() ||
            !one[1].is_string() || one[0] < 1 || one[0] > UINT32_MAX) {
            return wrong;
        }
        const auto bytes = from_base64(one[1].get_ref<const std::string&>());
        if (!bytes) return wrong;
        const auto key = Secret::from(*bytes);
        if (!key) return wrong;
        keys.insert_or_assign(one[0].get<std::uint32_t>(), *key);
    }
    return keys;
}

Result<void> prepare_space_keys(const fs::path& folder, const domain::EpochKeys& keys) {
    if (!valid_space_name(folder.filename().string())) {
        return malformed("a space's name has 1 to 64 letters, digits, '.', '_' and '-'");
    }
    if (fs::exists(folder / "space.json")) {
        return failure(Code::Exists,
                       "the space " + folder.filename().string() + " is here already");
    }
    TRY(make_directories(folder));
    return write_space_keys(folder, keys);
}

Result<bool> is_sealed(const fs::path& folder) {
    TRY_ASSIGN(const std::string text, read_file(folder / "space.json"));
    TRY_ASSIGN(const Json json, parse_json(text));
    return json.is_object() && json.contains("sealed") && json["sealed"] == true;
}

Result<domain::EpochKeys> read_space_keys(const fs::path& folder) {
    const auto path = folder / "keys.json";
    if (!fs::exists(path)) return unusable(path, "it is missing, and the space is encrypted");
    TRY_ASSIGN(const std::string text, read_file(path, 4 * 1024 * 1024));
    const auto json = parse_json(text, {8, 4 * 1024 * 1024});
    if (!json || !json->is_object()) return unusable(path, "it is damaged");
    if (!json->contains("format") || (*json)["format"] != 1) {
        return failure(Code::NewerFormat, path.string() + " was written by a newer Dutybook", "",
                       "update this one");
    }
    if (!json->contains("epochs")) return unusable(path, "it holds no keys");
    auto keys = epochs_from((*json)["epochs"]);
    if (!keys) return unusable(path, keys.error().text());
    return keys;
}

Result<void> write_space_keys(const fs::path& folder, const domain::EpochKeys& keys) {
    return write_kept(folder / "keys.json",
                      canonical({{"epochs", epochs_json(keys)}, {"format", 1}}) + "\n");
}

}  // namespace dutybook::core
