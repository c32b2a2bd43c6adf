#include "cli/invitation.h"

#include "base/crypto.h"
#include "cli/session.h"

#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace dutybook::cli {

namespace {

constexpr std::size_t salt_size = 16;
constexpr std::size_t largest = 4 * 1024 * 1024;
// What a foreign file may make this machine spend.
constexpr std::uint64_t most_memory = 1u << 30, most_operations = 20;

// Typed characters stay unseen as long as this lives.
class Unseen {
public:
    Unseen() {
        ::tcgetattr(STDIN_FILENO, &before_);
        termios now = before_;
        now.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
    }
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;
    ~Unseen() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); }

private:
    termios before_{};
};

std::string ask(std::ostream& err, const char* question) {
    err << question << std::flush;
    std::string answer;
    {
        const Unseen unseen;
        std::getline(std::cin, answer);
    }
    err << '\n';
    return answer;
}

std::string authenticated(const Json& file) {
    return canonical(Json{{"format", file["format"]}, {"kdf", file["kdf"]}});
}

struct Kdf {
    std::string salt;
    PassphraseCost cost;
};

Result<Kdf> read_kdf(const Json& file) {
    const auto wrong =
        malformed("the invitation's key derivation is not argon2id as it should be", "/kdf");
    const auto kdf = file.find("kdf");
    if (kdf == file.end() || !kdf->is_object() || kdf->value("name", Json()) != "argon2id" ||
        !kdf->value("salt", Json()).is_string()) {
        return wrong;
    }
    const Json memory = kdf->value("memory", Json());
    const Json operations = kdf->value("operations", Json());
    if (!memory.is_number_integer() || !operations.is_number_integer() || memory < 1 ||
        operations < 1 || memory > most_memory || operations > most_operations) {
        return wrong;
    }
    auto salt = from_base64((*kdf)["salt"].get_ref<const std::string&>());
    if (!salt || salt->size() != salt_size) return wrong;
    return Kdf{std::move(*salt), {operations.get<std::uint64_t>(), memory.get<std::uint64_t>()}};
}

}  // namespace

Result<std::optional<std::string>> passphrase(std::ostream& err, bool is_new) {
    using Words = std::optional<std::string>;
    const char* const given = std::getenv("DUTYBOOK_PASSPHRASE");
    if (given != nullptr && *given != '\0') return Words(given);
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) return Words();
    std::string words = ask(err, "Passphrase: ");
    if (words.empty()) return usage_error("the passphrase is empty");
    if (is_new && ask(err, "Once more: ") != words) {
        return usage_error("the two passphrases differ", "try again");
    }
    return Words(std::move(words));
}

Result<std::string> recovery_key(std::ostream& err, const std::string& given) {
    if (!given.empty()) return given;
    const char* const set = std::getenv("DUTYBOOK_RECOVERY_KEY");
    if (set != nullptr && *set != '\0') return std::string(set);
    if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1) {
        std::string typed = ask(err, "Recovery key: ");
        if (!typed.empty()) return typed;
    }
    return usage_error("recover needs the recovery key",
                       "set DUTYBOOK_RECOVERY_KEY, or give --key KEY");
}

Result<Json> seal_invitation(const Json& invitation, std::string_view passphrase,
                             const PassphraseCost& cost) {
    crypto_start();
    const std::string salt(Secret::random().bytes().substr(0, salt_size));
    Json file = {{"format", 1},
                 {"kdf",
                  {{"memory", cost.memory},
                   {"name", "argon2id"},
                   {"operations", cost.operations},
                   {"salt", base64(salt)}}}};
    TRY_ASSIGN(const Secret key, secret_from_passphrase(passphrase, salt, cost));
    const std::string plain = canonical(invitation), place = authenticated(file);
    const Nonce nonce = nonce_of(key, place, plain);
    file["sealed"] = base64(std::string(view(nonce)) + aead_seal(key, nonce, place, plain));
    return json_result(std::move(file));
}

bool is_sealed(const Json& file) {
    return file.is_object() && file.contains("sealed");
}

Result<Json> open_invitation(const Json& file, std::string_view passphrase) {
    crypto_start();
    if (!is_sealed(file) || !file["sealed"].is_string() || !file.contains("format")) {
        return malformed("no sealed invitation");
    }
    TRY_ASSIGN(const Kdf kdf, read_kdf(file));
    TRY_ASSIGN(const std::string sealed, from_base64(file["sealed"].get_ref<const std::string&>()));
    Nonce nonce{};
    if (sealed.size() < nonce.size()) return malformed("the invitation is cut off", "/sealed");
    std::copy_n(sealed.begin(), nonce.size(), nonce.begin());
    TRY_ASSIGN(const Secret key, secret_from_passphrase(passphrase, kdf.salt, kdf.cost));
    const auto plain =
        aead_open(key, nonce, authenticated(file), std::string_view(sealed).substr(nonce.size()));
    if (!plain) {
        return failure(Code::Forbidden, "the invitation does not open",
                       "the passphrase is another, or the file was changed",
                       "ask whoever wrote the invitation");
    }
    return parse_json(*plain, {32, largest});
}

}  // namespace dutybook::cli
