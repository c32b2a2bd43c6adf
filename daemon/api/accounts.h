#pragma once
// Which accounts of this machine may use the socket, and as what. The service's own account and
// root may do everything; others need an entry, by name or by a group's name. An entry for the
// account counts before those of its groups; of several groups the highest role counts.
//
// DIR/accounts.json (0600, written twice: base/kept_file.h; schemas/accounts.schema.json):
//   {"format":1,"accounts":[{"account":"rosa","role":"writer","by":"p1"},
//                           {"account":"@aides","role":"reader","by":""}]}
// `by` is the person that the account stands for: it then acts as nobody else. Empty = it acts
// under its own name, and may name persons (a shared machine at a desk).

#include "api/http.h"
#include "base/result.h"

#include <atomic>
#include <filesystem>
#include <mutex>

#include <sys/types.h>

namespace dutybook::api {

struct Account {
    std::string name;  // of an account; "@name" of a group
    Role role = Role::Reader;
    std::string by;
};

// Any thread.
class Accounts {
public:
    // An absent file is an empty list; one that cannot be read is Code::Corrupt.
    // `group` (may be empty) is one more group of writers, from the command line.
    static Result<std::unique_ptr<Accounts>> open(std::filesystem::path file,
                                                  const std::string& group);

    std::vector<Account> list() const;
    // Replaces an entry of the same name. Code::NotFound if this machine does not know the name.
    Result<void> put(Account account);
    Result<void> remove(const std::string& name);  // Code::NotFound

    // Who the process at the other end is; nothing if it may not use the socket.
    std::optional<Peer> judge(uid_t uid, gid_t gid) const;
    // Judges one who came earlier by the entries of today; false if it may no longer use the
    // socket.
    bool judge_again(Peer& peer) const;

private:
    explicit Accounts(std::filesystem::path file) : file_(std::move(file)) {}
    Result<void> load();
    Result<void> save(const std::vector<Account>& accounts) const;

    const std::filesystem::path file_;
    std::string group_;  // constant after open()
    mutable std::mutex mutex_;
    std::vector<Account> accounts_;        // by mutex_
    std::atomic<std::uint64_t> state_{1};  // counts the changes of entries
};

// The name of an account, "uid1234" if the machine has none for it.
std::string account_name(uid_t uid);

}  // namespace dutybook::api
