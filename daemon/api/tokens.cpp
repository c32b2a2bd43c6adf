#include "api/tokens.h"

#include "base/crypto.h"
#include "base/json.h"
#include "base/kept_file.h"

#include <algorithm>
#include <array>

namespace dutybook::api {

namespace {

constexpr std::size_t most_tokens = 200;

std::string hash_of(std::string_view secret) {
    return hex(blake2b("dutybook token", secret));
}

}  // namespace

Result<std::unique_ptr<Tokens>> Tokens::open(std::filesystem::path file) {
    auto tokens = std::unique_ptr<Tokens>(new Tokens(std::move(file)));
    TRY(tokens->load());
    return tokens;
}

Result<void> Tokens::load() {
    std::error_code ignored;
    if (!std::filesystem::exists(file_, ignored)) return {};
    TRY_ASSIGN(const std::string text, read_file(file_));
    const Json json = Json::parse(text, nullptr, false);
    const auto corrupt = [&] {
        return failure(Code::Corrupt, "the tokens' file is damaged", file_.string(),
                       "move it away and issue new tokens");
    };
    if (!json.is_object() || !json.contains("tokens") || !json["tokens"].is_array())
        return corrupt();
    if (json.value("format", Json(0)) != Json(1))
        return failure(Code::NewerFormat, "the tokens' file has a newer format", file_.string(),
                       "update this site, or move the file away and issue new tokens");
    for (const Json& one : json["tokens"]) {
        const auto text_of = [&](const char* name) {
            const auto found = one.find(name);
            return found != one.end() && found->is_string() ? found->get<std::string>()
                                                            : std::string();
        };
        const auto role = role_from(text_of("role"));
        const auto created = parse_instant(text_of("created"));
        if (!role || *role == Role::Admin || !created || text_of("hash").size() != 64)
            return corrupt();
        tokens_.push_back(
            {text_of("id"), text_of("name"), *role, text_of("by"), text_of("hash"), *created});
    }
    return {};
}

Result<void> Tokens::save(const std::vector<Token>& tokens) const {
    Json list = Json::array();
    for (const Token& token : tokens) {
        list.push_back({{"id", token.id},
                        {"name", token.name},
                        {"role", name_of(token.role)},
                        {"by", token.by},
                        {"hash", token.hash},
                        {"created", format_utc(token.created)}});
    }
    const Json json = {{"format", 1}, {"tokens", std::move(list)}};
    return write_kept(file_, json.dump(1) + "\n");
}

std::optional<Token> Tokens::find(std::string_view secret) const {
    // Comparing hashes leaks nothing of use: who measures it learns about a hash that he made.
    const std::string hash = hash_of(secret);
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(tokens_.begin(), tokens_.end(),
                                    [&](const Token& token) { return token.hash == hash; });
    if (found == tokens_.end()) return std::nullopt;
    return *found;
}

std::vector<Token> Tokens::list() const {
    const std::lock_guard lock(mutex_);
    return tokens_;
}

Result<Tokens::Issued> Tokens::issue(std::string name, Role role, std::string by, Millis now) {
    Issued issued;
    issued.secret = "dbk_" + random_base32(32);
    issued.token = {random_base32(5), std::move(name),        role,
                    std::move(by),    hash_of(issued.secret), now};
    const std::lock_guard lock(mutex_);
    if (tokens_.size() >= most_tokens)
        return failure(Code::Conflict, "there are too many tokens", {}, "revoke those not in use");
    std::vector<Token> next = tokens_;
    next.push_back(issued.token);
    TRY(save(next));
    tokens_ = std::move(next);
    return issued;
}

Result<void> Tokens::revoke(const std::string& id) {
    const std::lock_guard lock(mutex_);
    std::vector<Token> next = tokens_;
    const auto gone = std::remove_if(next.begin(), next.end(),
                                     [&](const Token& token) { return token.id == id; });
    if (gone == next.end())
        return failure(Code::NotFound, "there is no token " + id, {}, "see: dutybook token list");
    next.erase(gone, next.end());
    TRY(save(next));
    tokens_ = std::move(next);
    return {};
}

}  // namespace dutybook::api
