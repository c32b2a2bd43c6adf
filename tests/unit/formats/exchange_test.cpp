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
    const auto back = read_fhir(text, "b.json", "UTC");
    REQUIRE(back);
    REQUIRE(back->records.size() == 1);
    CHECK(back->records[0].fields["dose"] == "0.100");
    CHECK(back->records[0].fields["effect"] == "decimal:0.5 and decimal:7");
    CHECK_FALSE(read_fhir("{}", "b.json", "UTC"));
    CHECK_FALSE(read_fhir("{\"resourceType\": \"Bundle\"", "b.json", "UTC"));
    const auto other =
        read_fhir(R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}}]})",
                  "b.json", "UTC");
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

constexpr Millis january = 1'767'600'000'000;  // 2026-01-05

TEST_CASE("a calendar without a UID or a start is told, a torn one refused") {
    const auto out = read_calendar(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
        "BEGIN:VEVENT\r\nSUMMARY:no uid\r\nDTSTART:20260105T140000Z\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:u1\r\nSUMMARY:no start\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:u2\r\nSUMMARY:all day\r\nDTSTART;VALUE=DATE:20260105\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n",
        "c.ics", "America/New_York", january);
    REQUIRE(out);
    CHECK(out->errors.size() == 2);
    REQUIRE(out->records.size() == 1);
    CHECK(out->records[0].fields["when"] == "2026-01-05T00:00:00-05:00");
    CHECK_FALSE(read_calendar("hello", "c.ics", "UTC", january));
}

std::vector<std::string> times_of(const Mapped& mapped) {
    std::vector<std::string> times;
    for (const auto& record : mapped.records) {
        times.push_back(record.id + " " +
                        record.fields.value("when", record.fields.value("due", "")));
    }
    return times;
}

Mapped calendar_of(const std::string& components, const std::string& zone = "America/New_York") {
    auto out = read_calendar(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + components + "END:VCALENDAR\r\n",
        "c.ics", zone, january);
    REQUIRE(out);
    return std::move(*out);
}

TEST_CASE("what repeats becomes each of its times, over a clock change and without the excluded") {
    const auto out = calendar_of(
        "BEGIN:VEVENT\r\nUID:team\r\nSUMMARY:Team\r\n"
        "DTSTART;TZID=America/New_York:20260223T150000\r\nDTEND;TZID=America/"
        "New_York:20260223T160000"
        "\r\nRRULE:FREQ=WEEKLY;UNTIL=20260316T190000Z\r\n"
        "EXDATE;TZID=America/New_York:20260302T150000\r\nEND:VEVENT\r\n");
    CHECK(times_of(out) ==
          std::vector<std::string>{"team-20260223T200000Z 2026-02-23T15:00:00-05:00",
                                   "team-20260309T190000Z 2026-03-09T15:00:00-04:00",
                                   "team-20260316T190000Z 2026-03-16T15:00:00-04:00"});
    CHECK(out.records.back().fields["until"] == "2026-03-16T16:00:00-04:00");
    REQUIRE(out.removals.size() == 1);  // should it have come in before it was excluded
    CHECK(out.removals.front().id == "team-20260302T200000Z");
    CHECK(out.warnings.empty());
}

TEST_CASE("an occurrence that was moved or cancelled takes the place of the one in the series") {
    const std::string series =
        "BEGIN:VEVENT\r\nUID:d\r\nDTSTART:20260105T140000Z\r\nDURATION:PT30M\r\n"
        "RRULE:FREQ=DAILY;COUNT=3\r\nEND:VEVENT\r\n";
    const std::string moved =
        "BEGIN:VEVENT\r\nUID:d\r\nRECURRENCE-ID:20260106T140000Z\r\nDTSTART:20260106T180000Z\r\n"
        "END:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:d\r\nRECURRENCE-ID:20260107T140000Z\r\nSTATUS:CANCELLED\r\n"
        "DTSTART:20260107T140000Z\r\nEND:VEVENT\r\n";
    for (const auto& order : {series + moved, moved + series}) {
        const auto out = calendar_of(order);
        auto times = times_of(out);
        std::sort(times.begin(), times.end());
        CHECK(times == std::vector<std::string>{"d-20260105T140000Z 2026-01-05T09:00:00-05:00",
                                                "d-20260106T140000Z 2026-01-06T13:00:00-05:00"});
        REQUIRE(out.removals.size() == 1);
        CHECK(out.removals.front().id == "d-20260107T140000Z");
    }
}

TEST_CASE("whole days, tasks and additional dates repeat too; without an end a year is taken") {
    const auto days = calendar_of(
        "BEGIN:VEVENT\r\nUID:h\r\nDTSTART;VALUE=DATE:20260104\r\nDTEND;VALUE=DATE:20260106\r\n"
        "RRULE:FREQ=YEARLY\r\nRDATE;VALUE=DATE:20260301\r\nEND:VEVENT\r\n");
    CHECK(times_of(days) == std::vector<std::string>{"h-20260104 2026-01-04T00:00:00-05:00",
                                                     "h-20260301 2026-03-01T00:00:00-05:00",
                                                     "h-20270104 2027-01-04T00:00:00-05:00"});
    CHECK(days.records[1].fields["until"] == "2026-03-03T00:00:00-05:00");
    REQUIRE(days.warnings.size() == 1);
    CHECK(days.warnings.front().what.find("goes on") != std::string::npos);
    const auto tasks = calendar_of(
        "BEGIN:VTODO\r\nUID:t\r\nSUMMARY:Count\r\nDUE;VALUE=DATE:20260105\r\n"
        "RRULE:FREQ=MONTHLY;COUNT=2\r\nEND:VTODO\r\n");
    CHECK(times_of(tasks) ==
          std::vector<std::string>{"t-20260105 2026-01-05", "t-20260205 2026-02-05"});
}

TEST_CASE("a zone that nobody knows is told, and the site's is taken") {
    const auto out = calendar_of(
        "BEGIN:VEVENT\r\nUID:z\r\nDTSTART;TZID=Somewhere Standard Time:20260105T080000\r\n"
        "END:VEVENT\r\n");
    CHECK(times_of(out) == std::vector<std::string>{"z 2026-01-05T08:00:00-05:00"});
    REQUIRE(out.warnings.size() == 1);
    CHECK(out.warnings.front().what.find("Somewhere") != std::string::npos);
}
