#include "sync/remotes.h"
#include "base/file.h"
#include "base/json.h"
#include "git_fixture.h"
#include "rules/schema_validator.h"
#include "support/source_dir.h"

#include <doctest/doctest.h>

using namespace sync_test;
using namespace dutybook::sync;

namespace {

RemoteFile sample() {
    RemoteFile file;
    RemoteRecord record;
    record.config = {"hub", "git@example.org:book.git", "22:00", "05:00", "America/Detroit", 45'000,
                     true};
    record.added = 1'780'000'000'000;
    record.last_attempt = 1'780'000'001'000;
    record.error = "remote hub: \"quoted\"";
    record.listed = {{"refs/heads/dutybook", std::string(40, '1')},
                     {"refs/heads/log/a", std::string(40, '2')}};
    record.remembered = record.listed;
    record.remembered["refs/heads/log/a"] = std::string(40, '3');
    record.remembered["refs/heads/log/b"] = std::string(40, '4');
    file.remotes.push_back(record);
    file.last_receipt = 1'780'000'000'000;
    return file;
}

}  // namespace

TEST_CASE("remotes are read as they were written") {
    const Folder folder;
    const fs::path path = remotes_path(folder.path);
    CHECK(load_remotes(path)->remotes.empty());
    REQUIRE(save_remotes(path, sample()));
    const auto read = load_remotes(path);
    REQUIRE(read);
    REQUIRE(read->remotes.size() == 1);
    const RemoteRecord& record = read->remotes[0];
    const RemoteRecord expected = sample().remotes[0];
    CHECK(record.config.url == expected.config.url);
    CHECK(record.config.window_from == "22:00");
    CHECK(record.config.timeout == 45'000);
    CHECK(record.config.create);
    CHECK(record.last_attempt == expected.last_attempt);
    CHECK(record.last_success == 0);
    CHECK(record.error == expected.error);
    CHECK(record.listed == expected.listed);
    CHECK(record.remembered == expected.remembered);
    CHECK(read->last_receipt == 1'780'000'000'000);
}

TEST_CASE("what is written fits the schema") {
    const Folder folder;
    const fs::path path = remotes_path(folder.path);
    REQUIRE(save_remotes(path, sample()));
    const auto schema_text =
        read_file(dutybook::tests::source_dir() / "schemas" / "remotes.schema.json");
    REQUIRE(schema_text);
    const auto schema = parse_json(*schema_text);
    REQUIRE(schema);
    const Json written = *parse_json(*read_file(path));
    // Each member that is written is described, and the required ones are there.
    const auto fits = [](const Json& object, const Json& described) {
        for (const auto& [name, value] : object.items()) {
            CAPTURE(name);
            CHECK(described["properties"].contains(name));
        }
        for (const Json& name : described["required"]) CHECK(object.contains(name));
    };
    fits(written, *schema);
    fits(written["remotes"][0], (*schema)["definitions"]["remote"]);
}

TEST_CASE("a damaged file is an error that says what to do, and is left alone") {
    const Folder folder;
    const fs::path path = remotes_path(folder.path);
    for (const std::string& text :
         {std::string(), std::string("{"), std::string("[]"), std::string("{\"format\":1}"),
          std::string("{\"format\":2,\"remotes\":[]}"),
          std::string("{\"format\":1,\"remotes\":[{\"name\":\"-\",\"url\":\"/x\"}]}"),
          std::string("{\"format\":1,\"remotes\":[{\"name\":\"a\",\"url\":\"ext::x\"}]}"),
          std::string("{\"format\":1,\"remotes\":[{\"name\":\"a\",\"url\":\"/x\"},"
                      "{\"name\":\"a\",\"url\":\"/y\"}]}")}) {
        CAPTURE(text);
        REQUIRE(write_file_atomically(path, text));
        const auto read = load_remotes(path);
        REQUIRE_FALSE(read);
        CHECK_FALSE(read.error().fix.empty());
        CHECK(*read_file(path) == text);
    }
}
