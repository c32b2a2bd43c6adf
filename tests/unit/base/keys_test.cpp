#include "base/keys.h"
#include "base/crypto.h"

#include <doctest/doctest.h>

using namespace dutybook;

TEST_CASE("a signature holds for its bytes and its key alone") {
    crypto_start();
    const SigningKey key(Secret::random());
    const SigningKey other(Secret::random());
    const Signature signature = key.sign("bytes");
    CHECK(signature_holds(key.public_key(), "bytes", view(signature)));
    CHECK_FALSE(signature_holds(key.public_key(), "byteS", view(signature)));
    CHECK_FALSE(signature_holds(other.public_key(), "bytes", view(signature)));
    CHECK_FALSE(signature_holds(key.public_key(), "bytes", view(signature).substr(1)));
}

TEST_CASE("a sealed box opens for its key alone") {
    crypto_start();
    const BoxKey key(Secret::random());
    const std::string sealed = seal_for(key.public_key(), "epoch key");
    REQUIRE(key.open(sealed));
    CHECK(*key.open(sealed) == "epoch key");
    CHECK_FALSE(BoxKey(Secret::random()).open(sealed));
    CHECK_FALSE(key.open(sealed.substr(1)));
    CHECK_FALSE(key.open("short"));
}

TEST_CASE("sealed bytes open unchanged or not at all") {
    crypto_start();
    const Secret key = Secret::random();
    const Nonce nonce = nonce_of(key, "header", "plain");
    const std::string sealed = aead_seal(key, nonce, "header", "plain");
    CHECK(*aead_open(key, nonce, "header", sealed) == "plain");
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        CHECK_FALSE(aead_open(key, nonce, "header", changed));
    }
    CHECK_FALSE(aead_open(key, nonce, "headeR", sealed));
    CHECK_FALSE(aead_open(Secret::random(), nonce, "header", sealed));
}

TEST_CASE("a nonce repeats only with the same content") {
    crypto_start();
    const Secret key = Secret::random();
    CHECK(nonce_of(key, "a", "b") == nonce_of(key, "a", "b"));
    CHECK(nonce_of(key, "a", "b") != nonce_of(key, "a", "c"));
    CHECK(nonce_of(key, "ab", "") != nonce_of(key, "a", "b"));
    CHECK(nonce_of(key, "a", "b") != nonce_of(Secret::random(), "a", "b"));
}

TEST_CASE("a key on paper is read back, and a typing error is found") {
    crypto_start();
    const Secret secret = Secret::random();
    const std::string text = paper_text(secret);
    CHECK(*secret_from_paper(text) == secret);
    std::string shouted = " " + text + "\n";
    for (char& c : shouted) c = c == '-' ? ' ' : static_cast<char>(std::toupper(c));
    CHECK(*secret_from_paper(shouted) == secret);
    std::string typo = text;
    typo[7] = typo[7] == 'a' ? 'b' : 'a';
    CHECK_FALSE(secret_from_paper(typo));
    CHECK_FALSE(secret_from_paper(text.substr(0, 40)));
    CHECK_FALSE(secret_from_paper(text + "!"));
}

TEST_CASE("a passphrase gives one key, and its cost is bounded") {
    crypto_start();
    const PassphraseCost light{1, 8192 * 1024};
    const std::string salt(16, 's');
    CHECK(*secret_from_passphrase("x", salt, light) == *secret_from_passphrase("x", salt, light));
    CHECK_FALSE(*secret_from_passphrase("x", salt, light) ==
                *secret_from_passphrase("y", salt, light));
    CHECK_FALSE(secret_from_passphrase("x", salt, PassphraseCost{1, 1ull << 40}));
    CHECK_FALSE(secret_from_passphrase("x", "short", light));
}

TEST_CASE("base64 is strict") {
    CHECK(base64("") == "");
    CHECK(base64("ab") == "YWI=");
    CHECK(*from_base64("YWI=") == "ab");
    for (const char* wrong : {"YWI", "YW I=", "YWI=x", "*", "YWI=\n"})
        CHECK_FALSE(from_base64(wrong));
}
