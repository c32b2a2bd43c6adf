#include "rules/kinds.h"
#include "base/file.h"
#include "support/source_dir.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <thread>

using namespace dutybook;
using rules::KindRegistry;
using rules::KindSource;

namespace {

std::shared_ptr<const KindRegistry> core_kinds() {
    const std::filesystem::path folder = dutybook::tests::source_dir() / "schemas/kinds";
    auto registry = KindRegistry::load({&folder, 1});
    REQUIRE_MESSAGE(registry.has_value(), registry.error().text());
    return *registry;
}

Json duty() {
    return Json{
        {"title", "Bus"}, {"category", "supervision"}, {"priority", "normal"}, {"state", "open"}};
}

Error refused(const std::string& text) {
    const KindSource source{"plugin/schemas/x.json", text, "x"};
    const auto registry = KindRegistry::build({&source, 1});
    REQUIRE(!registry.has_value());
    return registry.error();
}

std::string kind_text(const std::string& members) {
    return "{\"type\": \"object\",\n\"x-kind\": \"x.thing\",\n" + members + "}";
}

std::vector<std::string> required_of(const KindRegistry& kinds, const char* kind) {
    std::vector<std::string> names;
    const Json description = kinds.describe(kind);
    for (const Json& field : description["fields"]) {
        if (field["required"].get<bool>()) names.push_back(field["name"]);
    }
    return names;
}

}  // namespace

TEST_CASE("the core's kinds are all there, each with an example, labels and title") {
    const auto kinds = core_kinds();
    for (const char* word : {"person",
                             "role_assignment",
                             "shift",
                             "work_time",
                             "duty",
                             "duty_series",
                             "deferral",
                             "meeting",
                             "need",
                             "incident",
                             "handoff",
                             "instruction",
                             "instruction_ack",
                             "paperwork_item",
                             "credential",
                             "training_completion",
                             "disclosure",
                             "report",
                             "finding_answer",
                             "plugin_config"}) {
        const std::string name = std::string("core.") + word;
        CAPTURE(name);
        REQUIRE(kinds->find(name) != nullptr);
        const Json description = kinds->describe(name);
        CHECK(description["example"].is_object());
        CHECK(kinds->validate(name, description["example"]).empty());
        CHECK(description["labels"].contains("es"));
        for (const Json& field : description["fields"]) {
            CAPTURE(field["name"]);
            CHECK(field["labels"].contains("en"));
            CHECK(field["labels"].contains("es"));
        }
    }
    CHECK(kinds->names().size() == 22);
}

TEST_CASE("required are exactly the fields that the domain marks") {
    const auto kinds = core_kinds();
    using Names = std::vector<std::string>;
    CHECK(required_of(*kinds, "core.duty") == Names{"title", "category", "priority", "state"});
    CHECK(required_of(*kinds, "core.person") == Names{"given", "family", "active"});
    CHECK(required_of(*kinds, "core.shift") == Names{"person", "site", "from", "to"});
    CHECK(required_of(*kinds, "core.need").empty());
    CHECK(required_of(*kinds, "core.training_completion") ==
          Names{"person", "course", "on", "hours"});
}

TEST_CASE("traits say how fields merge, refer and are found") {
    const auto kinds = core_kinds();
    const auto& fields = kinds->find("core.duty")->fields;
    CHECK(fields.at("tags").merge == domain::Merge::Set);
    CHECK(fields.at("title").merge == domain::Merge::Register);
    CHECK(fields.at("assignee").refers == "core.person");
    CHECK(fields.at("assignee").indexed);
    CHECK(kinds->find("core.need")->fields.at("times_seen").merge == domain::Merge::Counter);
    CHECK(kinds->find("core.duty")->effective == "due");
    CHECK_FALSE(kinds->find("core.duty")->final_at_once);
    CHECK(kinds->find("core.disclosure")->final_at_once);
    CHECK(kinds->find("core.work_time")->privacy == "hr");
}

TEST_CASE("a record's fields are judged, further fields are kept, null is absent") {
    const auto kinds = core_kinds();
    Json fields = duty();
    fields["bring"] = "the orange flag";
    fields["place"] = nullptr;
    CHECK(kinds->validate("core.duty", fields).empty());

    fields["priority"] = "soon";
    fields["title"] = nullptr;
    const auto errors = kinds->validate("core.duty", fields);
    REQUIRE(errors.size() == 2);
    CHECK(errors[0].pointer == "/title");
    CHECK(errors[0].what == "is required");
    CHECK(errors[1].pointer == "/priority");
    CHECK(errors[1].what == "must be one of urgent, high, normal, low");
    CHECK(kinds->validate("core.duty", Json::array()).size() == 1);
}

TEST_CASE("an unknown kind is named, with near ones") {
    const auto kinds = core_kinds();
    CHECK_FALSE(kinds->unknown("core.duty").has_value());
    CHECK(kinds->unknown("core.dutty")->fix == "did you mean core.duty?");
    CHECK(kinds->unknown("duty")->fix == "did you mean core.duty?");
    CHECK(kinds->unknown("core.person ")->what.find("\"core.person \"") != std::string::npos);
    const auto errors = kinds->validate("zzz.qqqqqqq", duty());
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].code == Code::Malformed);
    CHECK(errors[0].fix.find("kind list") != std::string::npos);
    CHECK(kinds->find("zzz.qqqqqqq") == nullptr);
}

TEST_CASE("what stood already at an unchanged field is a warning") {
    const auto kinds = core_kinds();
    Json before = duty();
    before["priority"] = "soon";
    before.erase("category");
    Json after = before;
    after["title"] = "Bus, line 4";

    auto judged = kinds->validate("core.duty", after, before);
    CHECK(judged.errors.empty());
    REQUIRE(judged.standing.size() == 2);

    after["priority"] = "later";  // changed and still wrong
    after["due"] = "tomorrow";    // new and wrong
    judged = kinds->validate("core.duty", after, before);
    REQUIRE(judged.errors.size() == 2);
    CHECK(judged.errors[0].pointer == "/due");
    CHECK(judged.errors[1].pointer == "/priority");
    CHECK(judged.standing.size() == 1);

    Json whole = duty();
    Json cleared = whole;
    cleared.erase("title");
    CHECK(kinds->validate("core.duty", cleared, whole).errors.size() == 1);
}

TEST_CASE("description tells types, values and the order of the schema") {
    const Json duty_kind = core_kinds()->describe("core.duty");
    CHECK(duty_kind["status"] == "draft");
    CHECK(duty_kind["fields"][0]["name"] == "title");
    const auto& fields = duty_kind["fields"];
    const auto priority = std::find_if(fields.begin(), fields.end(), [](const Json& field) {
        return field["name"] == "priority";
    });
    REQUIRE(priority != fields.end());
    CHECK((*priority)["values"] == Json::array({"urgent", "high", "normal", "low"}));
    const Json work = core_kinds()->describe("core.work_time");
    CHECK(work["fields"].back()["name"] == "approved_by");
    CHECK(work["fields"].back()["type"] == "object");  // through a reference
    CHECK(core_kinds()->describe("core.none").is_null());
}

TEST_CASE("a bug in a schema names file, line and pointer") {
    Error error = refused(kind_text("\"properties\": {\n\"a\": {\n\"requird\": true}}"));
    CHECK(error.what.starts_with("plugin/schemas/x.json: "));
    CHECK(error.pointer == "/properties/a/requird");
    CHECK(error.line == 5);

    error = refused(kind_text("\"properties\": {\n\"a\": {\"x-indx\": true}}"));
    CHECK(error.pointer == "/properties/a/x-indx");
    CHECK(error.fix == "did you mean x-index?");
    CHECK(error.line == 4);

    CHECK(refused(kind_text("\"x-effective\": \"at\"")).pointer == "/x-effective");
    CHECK(refused(kind_text("\"properties\": {\"at\": {\"type\": \"string\"}},\n"
                            "\"x-effective\": \"at\""))
              .pointer == "/x-effective");
    CHECK(refused(kind_text("\"x-privacy\": \"secret\"")).pointer == "/x-privacy");
    CHECK(refused(kind_text("\"required\": [\"a\"]")).pointer == "/required/0");
    CHECK(refused(
              kind_text("\"required\": [\"a\"], \"properties\": {\"a\": {\"x-completed\": true}}"))
              .what.find("fills in") != std::string::npos);
    CHECK(
        refused(kind_text("\"properties\": {\"a\": {\"type\": \"string\", \"x-merge\": \"set\"}}"))
            .pointer == "/properties/a/x-merge");
    CHECK(refused(kind_text("\"properties\": {\"@a\": {}}")).pointer == "/properties/@a");
    CHECK(refused(kind_text("\"required\": [\"a\"], \"properties\": {\"a\": true},\n"
                            "\"examples\": [{}]"))
              .pointer == "/examples/0/a");
    CHECK(refused("{\"type\": \"object\"}").what.find("x-kind") != std::string::npos);
    CHECK(refused("[]").what.find("object") != std::string::npos);
    CHECK(refused("{\"type\": \"object\",\n,}").what.starts_with("plugin/schemas/x.json"));
}

TEST_CASE("two schemas of one kind are refused") {
    const std::vector<KindSource> sources{{"a.json", kind_text("\"title\": \"A\""), "a"},
                                          {"b.json", kind_text("\"title\": \"B\""), "b"}};
    const auto registry = KindRegistry::build(sources);
    REQUIRE(!registry.has_value());
    CHECK(registry.error().what.find("b.json: the kind x.thing is there twice") == 0);
}

TEST_CASE("a folder that is not there is an error") {
    const std::filesystem::path folder = "/nonexistent/kinds";
    CHECK(!KindRegistry::load({&folder, 1}).has_value());
}

TEST_CASE("a replaced registry stays readable for who holds a pointer into it") {
    rules::LiveKinds live(core_kinds());
    const domain::KindTraits* duty_traits = live.find("core.duty");
    const KindSource source{"x.json", kind_text("\"title\": \"Thing\""), "x"};
    std::thread reader([&] {
        for (int i = 0; i < 1000; ++i) CHECK(live.find("x.nothing") == nullptr);
    });
    live.replace(*KindRegistry::build({&source, 1}));
    reader.join();
    CHECK(live.find("core.duty") == nullptr);
    CHECK(live.find("x.thing")->title == "Thing");
    CHECK(duty_traits->name == "core.duty");
}

TEST_CASE("500 mutated schemas crash nothing, and each error is placed") {
    std::mt19937 random(11);
    const std::filesystem::path folder = dutybook::tests::source_dir() / "schemas/kinds";
    const auto original = read_file(folder / "core.work_time.json");
    REQUIRE(original.has_value());
    std::size_t refused_count = 0;
    for (int i = 0; i < 500; ++i) {
        std::string text = *original;
        for (std::size_t edits = 1 + random() % 3; edits > 0; --edits) {
            const std::size_t at = random() % text.size();
            if (random() % 2 == 0)
                text.erase(at, 1 + random() % 60);
            else
                text.insert(at, text.substr(random() % text.size(), random() % 60));
        }
        const KindSource source{"w.json", text, "core"};
        const auto registry = KindRegistry::build({&source, 1});
        if (registry) {
            for (const std::string& name : (*registry)->names()) (*registry)->describe(name);
            continue;
        }
        ++refused_count;
        CHECK(registry.error().what.starts_with("w.json: "));
        CHECK(registry.error().line.has_value());
    }
    CHECK(refused_count > 250);
}
