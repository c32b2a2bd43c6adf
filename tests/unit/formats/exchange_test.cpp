// Foreign formats by their edges; whole files go through the client in tests/functional.

#include "formats/calendar.h"
#include "formats/fhir.h"
#include "formats/ledes_records.h"
#include "formats/mapping.h"
#include "formats/mapping_value.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::formats;

namespace {

Mapped mapped(const char* mapping, std::string_view csv) {
    Mapped out;
    const auto read = read_mapping(mapping);
    REQUIRE(read);
    map_table((*read)["files"][0], "t.csv", csv, {"America/New_York", {}}, out);
    return out;
}

constexpr const char* simple = R"({"file": "t.csv", "kind": "k", "id": "x-{a}", "fields": {
    "b": {"column": ["b", "bee"], "map": {"Yes": "y"}},
    "at": {"template": "{day}T{time}", "type": "instant"},
    "who": {"column": "who", "type": "list", "refer": "p-{}"}}})";

}  // namespace

TEST_CASE("a mapping finds columns by name and tells a bad row by line and column") {
    const auto out = mapped(simple,
                            "TIME,Bee,A,day,who\r\n"
                            "09:00,yes,1 2,2026-01-05,\"7, 8\"\r\n"
                            "25:00,Yes,3,2026-01-05,\r\n"
                            ",No,4,,\r\n"
                            ",,5,,\r\n");
    REQUIRE(out.records.size() == 2);
    CHECK(out.records[0].id == "x-1_2");
    CHECK(out.records[0].fields ==
          Json{{"b", "y"}, {"at", "2026-01-05T09:00:00-05:00"}, {"who", {"p-7", "p-8"}}});
    CHECK(out.references.size() == 2);
    CHECK(out.records[1].fields == Json::object());
    REQUIRE(out.errors.size() == 2);
    CHECK(out.errors[0].line == 3);
    CHECK(out.errors[1].line == 4);
    CHECK(out.errors[1].pointer == "bee");
}

TEST_CASE("dates of one reading alone are dates") {
    const Json source = {{"column", "d"}, {"type", "date"}};
    CHECK(*read_value(source, "2026-02-28T10:00:00Z", "UTC") == "2026-02-28");
    for (const char* wrong : {"2026-02-30", "03/04/2026", "2026-2-3", "20260203", "2026-02-03x"}) {
        CHECK_FALSE(read_value(source, wrong, "UTC"));
    }
}

TEST_CASE("a mapping of another shape is refused") {
    for (const char* wrong : {"[]", R"({"files": 3})", R"({"files": [{"file": "a"}]})",
                              R"({"file":"a","kind":"k","id":"i","fields":{"x":{}}})"}) {
        CHECK_FALSE(read_mapping(wrong));
    }
    const std::string begin = R"({"file":"a","kind":"k","id":"i",)";
    for (const char* wrong : {R"("only":{"a":"b"},"fields":{}})", R"("only":["b"],"fields":{}})",
                              R"("with":[1],"fields":{}})", R"("with":"a","fields":{}})",
                              R"("fields":{"x":{"column":"a","map":["y"]}}})",
                              R"("fields":{"x":{"column":"a","open":true}}})",
                              R"("fields":{"x":{"column":"a","type":7}}})",
                              R"("fields":{"x":{"column":"a","once":"yes"}}})",
                              R"("fields":{"x":{"column":"a","refer":{}}}})",
                              R"("fields":{"x":{"column":"a","earliest":{"file":"b"}}}})"}) {
        CAPTURE(wrong);
        CHECK_FALSE(read_mapping(begin + wrong));
    }
}

TEST_CASE("FHIR decimals keep their digits both ways, and texts that look like them stay texts") {
    FhirInput input;
    input.administrations.push_back({{"id", "d1"},
                                     {"fields",
                                      {{"person", "p"},
                                       {"at", "2026-01-05T09:00:00Z"},
                                       {"status", "completed"},
                                       {"dose", "0.100"},
                                       {"unit", "mg"},
                                       {"effect", "decimal:0.5 and decimal:7"}}}});
    const std::string text = render_fhir(input, "2026-01-05T09:00:00Z");
    CHECK(text.find("\"value\": 0.100") != std::string::npos);
    const auto back = read_fhir(text, "b.json");
    REQUIRE(back);
    REQUIRE(back->records.size() == 1);
    CHECK(back->records[0].fields["dose"] == "0.100");
    CHECK(back->records[0].fields["effect"] == "decimal:0.5 and decimal:7");
    CHECK_FALSE(read_fhir("{}", "b.json"));
    CHECK_FALSE(read_fhir("{\"resourceType\": \"Bundle\"", "b.json"));
    const auto other = read_fhir(
        R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}}]})", "b.json");
    REQUIRE(other);
    CHECK(other->warnings.size() == 1);
}

TEST_CASE("LEDES is refused where it is none, and its lines are judged one by one") {
    CHECK_FALSE(read_ledes("", "a"));
    CHECK_FALSE(read_ledes("LEDES98BI[]\n", "a"));
    std::string head = "LEDES1998B[]\n";
    for (std::size_t i = 0; i < ledes_fields; ++i) {
        head += (i == 0 ? "" : "|") + std::string(ledes_names[i]);
    }
    head += "[]\n";
    const std::string good =
        "20260531|7|C|M-1|10.00|20260501|20260531|x|1|F|0.1|0.00|10.00|20260504|L210||A103|p|"
        "Call|firm|100.00|P|LA|[]\n";
    std::string wrong = good;
    wrong.replace(wrong.find("|10.00|20260504"), 6, "|99.00");
    std::string endless = good;  // which adds up: 1e300 x 0.00 + 0.00
    endless.replace(endless.find("|0.1|"), 5, "|1e300|");
    endless.replace(endless.find("|10.00|20260504"), 6, "|0.00");
    endless.replace(endless.find("|100.00|"), 8, "|0.00|");
    const auto file = read_ledes(head + good + wrong + endless + "short[]\n", "a");
    REQUIRE(file);
    CHECK(file->lines.size() == 3);
    CHECK(file->errors.size() == 1);
    const auto out = records_of(*file, {{"M-1", "m1"}}, "a");
    REQUIRE(out.records.size() == 1);
    CHECK(out.records[0].fields["minutes"] == 6);
    REQUIRE(out.errors.size() == 3);
    CHECK(out.errors[1].pointer == "LINE_ITEM_TOTAL");
    CHECK(out.errors[2].pointer == "LINE_ITEM_TOTAL");
}

TEST_CASE("a calendar without a UID or a start is told, a torn one refused") {
    const auto out = read_calendar(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
        "BEGIN:VEVENT\r\nSUMMARY:no uid\r\nDTSTART:20260105T140000Z\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:u1\r\nSUMMARY:no start\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:u2\r\nSUMMARY:all day\r\nDTSTART;VALUE=DATE:20260105\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n",
        "c.ics", "America/New_York");
    REQUIRE(out);
    CHECK(out->errors.size() == 2);
    REQUIRE(out->records.size() == 1);
    CHECK(out->records[0].fields["when"] == "2026-01-05T00:00:00-05:00");
    CHECK_FALSE(read_calendar("hello", "c.ics", "UTC"));
}
