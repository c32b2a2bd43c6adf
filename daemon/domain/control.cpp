#include "domain/control.h"

#include "base/crypto.h"
#include "base/json.h"

#include <array>

namespace dutybook::domain {

namespace {

constexpr std::size_t entry_limit = 1u << 20;
constexpr std::array<std::string_view, 11> act_names{"found",  "add",     "remove", "retire",
                                                     "rotate", "pen",     "epoch",  "format",
                                                     "adopt",  "confirm", "recover"};
constexpr std::array<std::string_view, 3> role_names{"reader", "writer", "admin"};

std::string id_of(std::string_view word, std::string_view bytes) {
    const Hash hash = blake2b(word, bytes);
    return base32(std::span(hash).first(16));
}

bool whole(const Json& value) {
    return value.is_number_integer() && value.get<std::int64_t>() >= 0;
}

// Members of an object, each looked for once and typed; the first failure is kept.
class Members {
public:
    explicit Members(const Json& object) : object_(object) {}

    std::string text(const char* name, bool required) {
        const Json* value = find(name, required);
        if (value == nullptr) return {};
        if (!value->is_string()) return fail(name), std::string();
        return value->get<std::string>();
    }
    std::int64_t number(const char* name, bool required) {
        const Json* value = find(name, required);
        if (value == nullptr) return 0;
        if (!whole(*value)) return fail(name), 0;
        return value->get<std::int64_t>();
    }
    std::string bytes(const char* name, bool required) {
        const std::string encoded = text(name, required);
        auto decoded = from_base64(encoded);
        if (!decoded) return fail(name), std::string();
        return std::move(*decoded);
    }
    PublicKey key(const char* name, bool required) {
        const std::string raw = bytes(name, required);
        if (raw.empty() && !required) return {};
        const auto key = public_key_from(raw);
        if (!key) return fail(name), PublicKey{};
        return *key;
    }
    const Json* array(const char* name) {
        const Json* value = find(name, true);
        if (value != nullptr && !value->is_array()) return fail(name), nullptr;
        return value;
    }
    const Json* object(const char* name) {
        const Json* value = find(name, true);
        if (value != nullptr && !value->is_object()) return fail(name), nullptr;
        return value;
    }
    void fail(std::string_view name) {
        if (!error_) error_ = malformed("a control entry is wrong", pointer_to("", name));
    }
    const std::optional<Error>& error() const { return error_; }

private:
    const Json* find(const char* name, bool required) {
        const auto found = object_.find(name);
        if (found != object_.end()) return &*found;
        if (required) fail(name);
        return nullptr;
    }
    const Json& object_;
    std::optional<Error> error_;
};

Json plain_members(const ControlEntry& entry) {
    Json wraps = Json::array();
    for (const Wrap& wrap : entry.wraps) {
        wraps.push_back({wrap.epoch, wrap.to, base64(wrap.sealed)});
    }
    Json chain = Json::array();
    for (const auto& [epoch, sealed] : entry.chain) chain.push_back({epoch, base64(sealed)});
    return {{"at", entry.at},
            {"by", base64(view(entry.by))},
            {"chain", std::move(chain)},
            {"epoch", entry.epoch},
            {"format", 1},
            {"number", entry.number},
            {"previous", entry.previous},
            {"space", entry.space},
            {"wraps", std::move(wraps)}};
}

void read_wraps(Members& members, ControlEntry& entry) {
    const Json* wraps = members.array("wraps");
    for (const Json& wrap : wraps != nullptr ? *wraps : Json::array()) {
        const bool shaped = wrap.is_array() && wrap.size() == 3 && whole(wrap[0]) &&
                            wrap[1].is_string() && wrap[2].is_string();
        auto sealed = shaped ? from_base64(wrap[2].get_ref<const std::string&>())
                             : Result<std::string>(malformed("wrap"));
        if (!sealed) return members.fail("wraps");
        entry.wraps.push_back({wrap[0].get<std::uint32_t>(), wrap[1], std::move(*sealed)});
    }
    const Json* chain = members.array("chain");
    for (const Json& link : chain != nullptr ? *chain : Json::array()) {
        const bool shaped =
            link.is_array() && link.size() == 2 && whole(link[0]) && link[1].is_string();
        auto sealed = shaped ? from_base64(link[1].get_ref<const std::string&>())
                             : Result<std::string>(malformed("link"));
        if (!sealed) return members.fail("chain");
        entry.chain.emplace_back(link[0].get<std::uint32_t>(), std::move(*sealed));
    }
}

Json write_act(const ControlAct& act) {
    Json out = {{"do", name_of(act.kind)}};
    const auto keys = [&](const char* sign, const char* box) {
        out[sign] = base64(view(act.sign));
        out[box] = base64(view(act.box));
    };
    const auto positions = [&] {
        Json all = Json::object();
        for (const auto& [writer, at] : act.positions) all[writer] = {at.seq, at.segment};
        out["positions"] = std::move(all);
    };
    if (act.kind != ControlKind::Add && !act.site.empty()) out["site"] = act.site;
    if (!act.name.empty()) out["name"] = act.name;
    if (!act.introduction.empty()) out["introduction"] = act.introduction;
    switch (act.kind) {
        case ControlKind::Found:
            keys("sign", "box");
            out["recovery_sign"] = base64(view(act.recovery_sign));
            out["recovery_box"] = base64(view(act.recovery_box));
            out["salt"] = base64(act.salt);
            out["space_name"] = act.space_name;
            out["parent"] = act.parent;
            break;
        case ControlKind::Add:
            keys("invite_sign", "invite_box");
            out["role"] = name_of(act.role);
            break;
        case ControlKind::Rotate:
            keys("sign", "box");
            positions();
            break;
        case ControlKind::Recover:
            keys("sign", "box");
            break;
        case ControlKind::Remove:
        case ControlKind::Adopt:
            positions();
            break;
        case ControlKind::Format:
            out["minimum"] = act.minimum_format;
            break;
        default:
            break;
    }
    return out;
}

void read_positions(Members& members, ControlAct& act) {
    const Json* positions = members.object("positions");
    if (positions == nullptr) return;
    for (const auto& [writer, at] : positions->items()) {
        const bool shaped = valid_writer(writer) && at.is_array() && at.size() == 2 &&
                            whole(at[0]) && at[1].is_string();
        if (!shaped) return members.fail("positions");
        act.positions[writer] = {at[0].get<std::uint64_t>(), at[1].get<std::string>()};
    }
}

Result<ControlAct> read_act(const Json& object) {
    Members members(object);
    ControlAct act;
    const std::string word = members.text("do", true);
    const auto kind = std::find(act_names.begin(), act_names.end(), word);
    if (kind == act_names.end()) {
        return failure(Code::NewerFormat, "a control entry does what this version does not know",
                       word.substr(0, 40), "update Dutybook");
    }
    act.kind = static_cast<ControlKind>(kind - act_names.begin());
    const bool of_site = act.kind != ControlKind::Add && act.kind != ControlKind::Epoch &&
                         act.kind != ControlKind::Format;
    act.site = members.text("site", of_site);
    act.name = members.text("name", false);
    act.introduction = members.text("introduction", false);
    switch (act.kind) {
        case ControlKind::Found:
            act.recovery_sign = members.key("recovery_sign", true);
            act.recovery_box = members.key("recovery_box", true);
            act.salt = members.bytes("salt", true);
            act.space_name = members.text("space_name", true);
            act.parent = members.text("parent", false);
            [[fallthrough]];
        case ControlKind::Recover:
            act.sign = members.key("sign", true);
            act.box = members.key("box", true);
            act.role = Role::Administers;
            break;
        case ControlKind::Add: {
            act.sign = members.key("invite_sign", true);
            act.box = members.key("invite_box", true);
            const auto role = role_from(members.text("role", true));
            if (!role) members.fail("role");
            act.role = role.value_or(Role::Reads);
            break;
        }
        case ControlKind::Rotate:
            act.sign = members.key("sign", true);
            act.box = members.key("box", true);
            [[fallthrough]];
        case ControlKind::Remove:
        case ControlKind::Adopt:
            read_positions(members, act);
            break;
        case ControlKind::Format:
            act.minimum_format = static_cast<int>(members.number("minimum", true));
            break;
        default:
            break;
    }
    if (members.error()) return *members.error();
    return act;
}

}  // namespace

std::string_view name_of(Role role) {
    return role_names[static_cast<std::size_t>(role)];
}

std::optional<Role> role_from(std::string_view name) {
    const auto found = std::find(role_names.begin(), role_names.end(), name);
    if (found == role_names.end()) return std::nullopt;
    return static_cast<Role>(found - role_names.begin());
}

std::string_view name_of(ControlKind kind) {
    return act_names[static_cast<std::size_t>(kind)];
}

std::string key_name(const PublicKey& key) {
    return hex(blake2b("dutybook key", view(key))).substr(0, 16);
}

std::string site_id_of(const PublicKey& sign) {
    const Hash hash = blake2b(view(sign));
    return base32(std::span(hash).first(16));
}

std::string space_id_of(const PublicKey& founder, const PublicKey& recovery,
                        std::string_view salt) {
    std::string origin(view(founder));
    origin += view(recovery);
    origin += salt;
    return id_of("dutybook space", origin);
}

std::string write_entry(const ControlEntry& entry) {
    Json members = plain_members(entry);
    members["body"] = base64(entry.body);
    return canonical(members);
}

Result<ControlEntry> read_entry(std::string_view line) {
    TRY_ASSIGN(const Json object, parse_json(line, {8, entry_limit}));
    if (!object.is_object()) return malformed("a control entry is an object");
    Members members(object);
    if (members.number("format", true) > 1) {
        return failure(Code::NewerFormat, "a control entry has a newer format", {},
                       "update Dutybook");
    }
    ControlEntry entry;
    entry.space = members.text("space", true);
    entry.number = static_cast<std::uint64_t>(members.number("number", true));
    entry.previous = members.text("previous", true);
    entry.at = members.number("at", true);
    entry.by = members.key("by", true);
    entry.epoch = static_cast<std::uint32_t>(members.number("epoch", true));
    entry.body = members.bytes("body", true);
    read_wraps(members, entry);
    if (members.error()) return *members.error();
    if (entry.number == 0 ? !entry.previous.empty() : entry.previous.size() != 40) {
        return malformed("a control entry names no entry before it", "/previous");
    }
    // One spelling only: what was signed is what was read.
    if (write_entry(entry) != line) return malformed("a control entry is not canonical");
    return entry;
}

void seal_act(ControlEntry& entry, const ControlAct& act, const Secret& epoch_key) {
    const std::string place = canonical(plain_members(entry));
    const std::string plain = canonical(write_act(act));
    const Nonce nonce = nonce_of(epoch_key, place, plain);
    entry.body = std::string(view(nonce)) + aead_seal(epoch_key, nonce, place, plain);
}

Result<ControlAct> open_act(const ControlEntry& entry, const Secret& epoch_key) {
    Nonce nonce{};
    if (entry.body.size() < nonce.size()) return failure(Code::Corrupt, "a control entry is cut");
    std::copy_n(entry.body.begin(), nonce.size(), nonce.begin());
    const std::string place = canonical(plain_members(entry));
    TRY_ASSIGN(
        const std::string plain,
        aead_open(epoch_key, nonce, place, std::string_view(entry.body).substr(nonce.size())));
    TRY_ASSIGN(const Json object, parse_json(plain, {8, entry_limit}));
    if (!object.is_object()) return malformed("an act is an object");
    return read_act(object);
}

}  // namespace dutybook::domain
