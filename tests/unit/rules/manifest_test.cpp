#include "rules/manifest.h"
#include "support/source_dir.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace dutybook;
using namespace dutybook::rules;

namespace {

const ManifestReader& reader() {
    static const auto opened = ManifestReader::open(dutybook::tests::source_dir() / "schemas");
    REQUIRE_MESSAGE(opened.has_value(), opened.error().text());
    return *opened;
}

const char* const good = R"({
  "id": "medical",
  "version": "1.2.0",
  "abi": 1,
  "runtime": "lua",
  "title": {"en": "Health office", "es": "Enfermería"},
  "requires": {"core": "1.0.0"},
  "kinds": [
    {"kind": "medical.dose", "schema": "schemas/dose.json"},
    {"kind": "medical.order", "schema": "schemas/order.json"}
  ],
  "rules": [
    {
      "id": "MED-R12",
      "on": "medical.dose",
      "subject": "dose",
      "needs": {
        "order": {"kind": "medical.order", "id": "dose.order"},
        "others": {"kind": "medical.dose", "where": {"person": "dose.person"}, "field": "at",
                   "from": "dose.at - PT24H", "to": "dose.at + config.look_ahead"}
      },
      "severity": {"check": "deny", "stored": "needs_review"},
      "source": "district policy JLCD-R",
      "messages": {"too_close": {"en": "Given {minutes} minutes after {other}."}}
    },
    {
      "id": "MED-R14",
      "on": ["medical.dose", "medical.order"],
      "severity": "reject",
      "messages": {"no_reason": {"en": "A reason is needed."}}
    },
    {
      "id": "MED-R04",
      "on": "medical.dose",
      "clock": true,
      "again": "record.at + PT60M",
      "severity": "warn",
      "messages": {"late": {"en": "Late."}}
    }
  ],
  "completes": [{"kind": "medical.dose", "needs": {"order": {"kind": "medical.order", "id": "record.order"}}}],
  "reports": [
    {
      "name": "mar-sheet",
      "title": {"en": "Medication sheet"},
      "parameters": {"type": "object", "required": ["person"], "properties": {"person": {"type": "string"}}},
      "needs": {"doses": {"kind": "medical.dose", "where": {"person": "parameters.person"}}},
      "formats": ["csv"],
      "privacy": "health"
    }
  ],
  "configuration": {
    "type": "object",
    "properties": {"look_ahead": {"type": "string", "default": "PT24H"}}
  },
  "limits": {"memory_mb": 32}
})";

// The good manifest with one text replaced.
ManifestReader::Reading with(const std::string& old, const std::string& replacement) {
    std::string text = good;
    const std::size_t at = text.find(old);
    REQUIRE(at != std::string::npos);
    return reader().read(text.replace(at, old.size(), replacement), "medical/plugin.json");
}

Error first_error(const std::string& old, const std::string& replacement) {
    const auto reading = with(old, replacement);
    REQUIRE(!reading.errors.empty());
    return reading.errors.front();
}

}  // namespace

TEST_CASE("a manifest is read whole") {
    const auto reading = reader().read(good, "plugin.json");
    REQUIRE_MESSAGE(reading.errors.empty(), reading.errors.front().text());
    const Manifest& manifest = reading.manifest;
    CHECK(manifest.id == "medical");
    CHECK(!manifest.native);
    CHECK(manifest.requires_plugins.at("core") == "1.0.0");
    CHECK(manifest.limits.memory_mb == 32);
    CHECK(manifest.limits.deadline_ms == 250);
    CHECK(manifest.default_configuration() == Json{{"look_ahead", "PT24H"}});

    const ManifestRule* rule = manifest.rule("MED-R12");
    REQUIRE(rule != nullptr);
    CHECK(rule->needs.subject == "dose");
    CHECK(rule->needs.find("order")->kind == "medical.order");
    CHECK(rule->severity_for(Purpose::Check) == Severity::Deny);
    CHECK(rule->severity_for(Purpose::LocalWrite) == Severity::NeedsReview);
    CHECK(rule->severity_for(Purpose::Stored) == Severity::NeedsReview);
    CHECK(manifest.rule("MED-R14")->severity_for(Purpose::LocalWrite) == Severity::Reject);
    CHECK(manifest.rule("MED-R14")->severity_for(Purpose::Stored) == Severity::NeedsReview);
    CHECK(manifest.rule("MED-R14")->needs.kinds.size() == 2);
    CHECK(manifest.rule("MED-R04")->again.has_value());
    CHECK(manifest.rule("MED-R99") == nullptr);
    const auto& formats = manifest.report("mar-sheet")->formats;
    CHECK(std::find(formats.begin(), formats.end(), "html") != formats.end());
    CHECK(manifest.sees() == std::vector<std::string>{"medical.dose", "medical.order"});
}

TEST_CASE("errors name file, line and pointer") {
    Error error = first_error("\"runtime\": \"lua\"", "\"runtime\": \"python\"");
    CHECK(error.what == "medical/plugin.json: must be one of lua, native");
    CHECK(error.pointer == "/runtime");
    CHECK(error.line == 5);

    error = first_error("\"id\": \"dose.order\"", "\"id\": \"doze.order\"");
    CHECK(error.pointer == "/rules/0/needs/order/id");
    CHECK(error.line == 18);
    CHECK(error.fix == "did you mean dose?");

    error = first_error("\"clock\": true", "\"clok\": true");
    CHECK(error.pointer == "/rules/2/clok");
    CHECK(error.what.find("not a known member") != std::string::npos);

    error = first_error("\"abi\": 1", "\"abi\": 2");
    CHECK(error.what.find("version 2 of the plugin interface") != std::string::npos);
    CHECK(first_error("  \"id\": \"medical\",\n", "").pointer == "/id");
    CHECK(first_error("\"version\": \"1.2.0\"", "\"version\": \"1.2\"").pointer == "/version");
    CHECK(first_error("{\n  \"id\"", "{\n  \"id\" \"id\"").what.starts_with("medical/plugin.json"));
}

TEST_CASE("what the schema cannot say is checked too") {
    CHECK(first_error("MED-R14", "MED-R12").what.find("is there twice") != std::string::npos);
    CHECK(first_error("{\"kind\": \"medical.order\", \"schema\"",
                      "{\"kind\": \"other.order\", \"schema\"")
              .what.find("must begin with \"medical.\"") != std::string::npos);
    CHECK(first_error("{\"check\": \"deny\", \"stored\": \"needs_review\"}", "\"reject\"")
              .what.find("cannot reject") != std::string::npos);
    CHECK(first_error("\"default\": \"PT24H\"", "\"title\": \"x\"").what.find("needs a default") !=
          std::string::npos);
    CHECK(first_error("\"default\": \"PT24H\"", "\"default\": 24")
              .what.find("defaults are not valid") != std::string::npos);
    CHECK(first_error("\"type\": \"string\", \"default\"", "\"typ\": \"string\", \"default\"")
              .pointer == "/configuration/properties/look_ahead/typ");
    CHECK(first_error("\"clock\": true", "\"clock\": false").pointer == "/rules/2/again");
    CHECK(first_error("record.at + PT60M", "order.at + PT60M").pointer == "/rules/2/again");
    CHECK(first_error("{\"look_ahead\"", "{\"plugin\"").what.find("cannot be called") !=
          std::string::npos);
    CHECK(first_error("[{\"kind\": \"medical.dose\", \"needs\"",
                      "[{\"kind\": \"core.duty\", \"needs\"")
              .pointer == "/completes/0/kind");
}

TEST_CASE("several errors are told at once") {
    std::string text = good;
    text.replace(text.find("\"abi\": 1"), 8, "\"abi\": 0");
    text.replace(text.find("\"1.2.0\""), 7, "\"one\"  ");
    CHECK(reader().read(text, "plugin.json").errors.size() == 2);
}

TEST_CASE("500 mutated manifests crash nothing, and each error is placed") {
    std::mt19937 random(7);
    const std::string original = good;
    const std::string letters = "{}[]\",:0az.-\\ \n\t\x01\xff";
    std::size_t refused = 0;
    for (int i = 0; i < 500; ++i) {
        std::string text = original;
        for (std::size_t edits = 1 + random() % 3; edits > 0; --edits) {
            const std::size_t at = random() % text.size();
            switch (random() % 3) {
                case 0:
                    text[at] = letters[random() % letters.size()];
                    break;
                case 1:
                    text.erase(at, 1 + random() % 40);
                    break;
                default:
                    text.insert(at, text.substr(random() % text.size(), random() % 60));
            }
        }
        for (const Error& error : reader().read(text, "p/plugin.json").errors) {
            CHECK(error.what.starts_with("p/plugin.json: "));
            CHECK(error.line.has_value());
        }
        refused += reader().read(text, "p/plugin.json").errors.empty() ? 0 : 1;
    }
    CHECK(refused > 250);
}

TEST_CASE("texts of other languages come from locales") {
    Manifest manifest = reader().read(good, "plugin.json").manifest;
    const auto added =
        add_locale(manifest, "es", R"({"MED-R12.too_close": "Muy pronto."})", "es.json");
    REQUIRE(added.has_value());
    const Texts& texts = manifest.rule("MED-R12")->messages.at("too_close");
    CHECK(text_in(texts, "es") == "Muy pronto.");
    CHECK(text_in(texts, "es-MX") == "Muy pronto.");
    CHECK(text_in(texts, "fr") == "Given {minutes} minutes after {other}.");
    CHECK(text_in({}, "en").empty());

    const auto wrong = add_locale(manifest, "es", "{\n\"MED-R12.to_close\": \"x\"}", "es.json");
    REQUIRE(!wrong.has_value());
    CHECK(wrong.error().line == 2);
    CHECK(wrong.error().fix == "did you mean MED-R12.too_close?");
    CHECK(!add_locale(manifest, "es", "[]", "es.json").has_value());
}

TEST_CASE("versions and messages") {
    CHECK(compare_versions("1.10.0", "1.9.9") == 1);
    CHECK(compare_versions("1.2.3", "1.2.3") == 0);
    CHECK(compare_versions("0.9.0", "1.0.0") == -1);
    CHECK(filled("{a} after {b}, {c", {{"a", 5}, {"b", "noon"}}) == "5 after noon, {c");
    CHECK(filled("{x}", {{"a", 5}}) == "{x}");
    // A value that stands in it a thousand times makes no bomb of it.
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "{a}";
    CHECK(filled(many, {{"a", std::string(2000, 'x')}}).size() == 16'000);
}
