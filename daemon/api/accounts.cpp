#include "api/accounts.h"

#include "base/json.h"
#include "base/kept_file.h"

#include <algorithm>
#include <array>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace dutybook::api {

namespace {

constexpr std::size_t most_accounts = 200;

bool is_group(const std::string& name) {
    return name.starts_with('@');
}

std::optional<gid_t> group_id(const std::string& name) {
    std::array<char, 16384> buffer{};
    group entry{};
    group* found = nullptr;
    if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found)
        return std::nullopt;
    return found->gr_gid;
}

bool account_exists(const std::string& name) {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    return ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 && found;
}

std::vector<gid_t> groups_of(const std::string& account, gid_t primary) {
    int count = 256;
    std::vector<gid_t> groups(256);
    if (::getgrouplist(account.c_str(), primary, groups.data(), &count) < 0) return {primary};
    groups.resize(static_cast<std::size_t>(count));
    groups.push_back(primary);
    return groups;
}

Result<void> check_known(const std::string& name) {
    if (is_group(name) ? group_id(name.substr(1)).has_value() : account_exists(name)) return {};
    return failure(Code::NotFound,
                   (is_group(name) ? "there is no group " : "there is no account ") +
                       (is_group(name) ? name.substr(1) : name),
                   "this machine knows none of that name", "see: getent passwd, getent group");
}

}  // namespace

std::string account_name(uid_t uid) {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found)
        return found->pw_name;
    return "uid" + std::to_string(uid);
}

Result<std::unique_ptr<Accounts>> Accounts::open(std::filesystem::path file,
                                                 const std::string& group) {
    auto accounts = std::unique_ptr<Accounts>(new Accounts(std::move(file)));
    if (!group.empty()) {
        TRY(check_known("@" + group));
        accounts->group_ = group;
    }
    TRY(accounts->load());
    return accounts;
}

Result<void> Accounts::load() {
    std::error_code ignored;
    if (!std::filesystem::exists(file_, ignored)) return {};
    TRY_ASSIGN(const std::string text, read_file(file_));
    const Json json = Json::parse(text, nullptr, false);
    const auto corrupt = [&] {
        return failure(Code::Corrupt, "the accounts' file is damaged", file_.string(),
                       "move it away and add the accounts again: dutybook account add");
    };
    if (!json.is_object() || !json.contains("accounts") || !json["accounts"].is_array())
        return corrupt();
    if (json.value("format", Json(0)) != Json(1))
        return failure(Code::NewerFormat, "the accounts' file has a newer format", file_.string(),
                       "update this Dutybook");
    for (const Json& one : json["accounts"]) {
        const auto text_of = [&](const char* name) {
            const auto found = one.find(name);
            return found != one.end() && found->is_string() ? found->get<std::string>()
                                                            : std::string();
        };
        const auto role = role_from(text_of("role"));
        if (!one.is_object() || !role || text_of("account").empty()) return corrupt();
        accounts_.push_back({text_of("account"), *role, text_of("by")});
    }
    return {};
}

Result<void> Accounts::save(const std::vector<Account>& accounts) const {
    Json list = Json::array();
    for (const Account& one : accounts)
        list.push_back({{"account", one.name}, {"role", name_of(one.role)}, {"by", one.by}});
    const Json json = {{"format", 1}, {"accounts", std::move(list)}};
    return write_kept(file_, json.dump(1) + "\n");
}

std::vector<Account> Accounts::list() const {
    const std::lock_guard lock(mutex_);
    return accounts_;
}

Result<void> Accounts::put(Account account) {
    TRY(check_known(account.name));
    const std::lock_guard lock(mutex_);
    std::vector<Account> next = accounts_;
    std::erase_if(next, [&](const Account& one) { return one.name == account.name; });
    if (next.size() >= most_accounts)
        return failure(Code::Conflict, "there are too many accounts", {}, "name a group instead");
    next.push_back(std::move(account));
    TRY(save(next));
    accounts_ = std::move(next);
    ++state_;
    return {};
}

Result<void> Accounts::remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    std::vector<Account> next = accounts_;
    if (std::erase_if(next, [&](const Account& one) { return one.name == name; }) == 0)
        return failure(Code::NotFound, "no entry for " + name, {}, "see: dutybook account list");
    TRY(save(next));
    accounts_ = std::move(next);
    ++state_;
    return {};
}

std::optional<Peer> Accounts::judge(uid_t uid, gid_t gid) const {
    const std::string name = account_name(uid);
    const std::uint64_t state = state_;
    std::vector<Account> entries = list();
    const auto let_in_by = [&](const Account& one) {
        return Peer{Door::Socket, name, one.role, one.by, uid, gid, state};
    };
    for (const Account& one : entries)
        if (one.name == name) return let_in_by(one);
    if (!group_.empty()) entries.push_back({"@" + group_, Role::Writer, {}});
    std::optional<Peer> best;
    const std::vector<gid_t> groups = groups_of(name, gid);
    for (const Account& one : entries) {
        if (!is_group(one.name) || (best && best->role >= one.role)) continue;
        const auto id = group_id(one.name.substr(1));
        if (id && std::find(groups.begin(), groups.end(), *id) != groups.end())
            best = let_in_by(one);
    }
    return best;
}

bool Accounts::judge_again(Peer& peer) const {
    if (peer.judged == 0 || peer.judged == state_) return true;
    auto now = judge(peer.uid, peer.gid);
    if (now) peer = std::move(*now);
    return now.has_value();
}

}  // namespace dutybook::api
