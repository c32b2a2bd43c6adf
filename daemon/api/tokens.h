#pragma once
// Bearer tokens for HTTP: made over the socket, shown once, revocable.
//
// DIR/tokens.json (0600, written atomically, schemas/tokens.schema.json):
//   {"format":1,"tokens":[{"id","name","role","by","hash","created"}]}
// `hash` is BLAKE2b-256 of the token, in hex: who reads the file gets no token. A plain hash is
// enough because a token is 256 random bits, which nobody guesses.

#include "api/http.h"
#include "base/clock.h"
#include "base/result.h"

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace dutybook::api {

struct Token {
    std::string id;            // for people: shown, not secret
    std::string name;          // what it is for
    Role role = Role::Reader;  // never Admin
    std::string by;            // person that it stands for, may be empty
    std::string hash;
    Millis created = 0;
};

// Any thread.
class Tokens {
public:
    // An absent file is an empty list; one that cannot be read is Code::Corrupt.
    static Result<std::unique_ptr<Tokens>> open(std::filesystem::path file);

    std::optional<Token> find(std::string_view secret) const;
    std::vector<Token> list() const;
    struct Issued {
        Token token;
        std::string secret;
    };
    Result<Issued> issue(std::string name, Role role, std::string by, Millis now);
    Result<void> revoke(const std::string& id);  // Code::NotFound

private:
    explicit Tokens(std::filesystem::path file) : file_(std::move(file)) {}
    Result<void> load();
    Result<void> save(const std::vector<Token>& tokens) const;

    const std::filesystem::path file_;
    mutable std::mutex mutex_;
    std::vector<Token> tokens_;  // by mutex_
};

}  // namespace dutybook::api
