#include "base/process.h"
#include "formats/chart.h"
#include "formats/csv.h"
#include "formats/encoding.h"
#include "formats/html.h"
#include "formats/ics.h"
#include "formats/text_table.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::formats;

namespace {

Report report(const char* blocks) {
    auto checked = check_blocks(Json::parse(blocks));
    REQUIRE_MESSAGE(checked.has_value(), (checked ? "" : checked.error().text()));
    Report made;
    made.title = "A <title>";
    made.blocks = *checked;
    return made;
}
ChartMaker charts() {
    return ChartMaker(program_directory() + "/dutybook-supervise");
}
bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}
std::string refusal(const char* blocks) {
    const auto checked = check_blocks(Json::parse(blocks));
    return checked ? "" : checked.error().pointer;
}

}  // namespace

TEST_CASE("HTML escapes every text") {
    const auto page = render_html(
        report(R"([{"type":"heading","text":"<script>"},{"type":"text","text":"a & \"b\""},
                   {"type":"table","columns":[{"label":"<i>"}],"rows":[["<b>"],[1.50],[null]]},
                   {"type":"signature","label":"Nurse"}])"),
        charts());
    REQUIRE(page);
    CHECK(has(*page, "&lt;script&gt;"));
    CHECK(has(*page, "a &amp; &quot;b&quot;"));
    CHECK(has(*page, "<td>&lt;b&gt;</td>"));
    CHECK_FALSE(has(*page, "<script"));
    CHECK_FALSE(has(*page, "<b>"));
}

TEST_CASE("a chart leaves gaps, draws phases and takes no commands from labels") {
    const char* blocks = R"([{"type":"chart","title":"x'; system('touch /tmp/pwned'); '",
        "x":{"kind":"date","label":"`id`"},"y":{"label":"per hour"},"goal":2,
        "phases":[{"x":"2026-01-03","label":"plan 2"}],
        "series":[{"label":"hitting","points":[["2026-01-01",1],["2026-01-02",null],["2026-01-05","2.5"]]}]}])";
    const Report made = report(blocks);
    const std::string script = chart_script(made.blocks[0], "en");
    CHECK(has(script, "2026-01-01 1\n\n2026-01-05 2.5"));
    CHECK_FALSE(has(script, "`"));
    CHECK(has(script, "'x''; system(''touch /tmp/pwned''); '''"));
    const auto page = render_html(made, charts());
    REQUIRE_MESSAGE(page.has_value(), (page ? "" : page.error().text()));
    CHECK(has(*page, "<svg"));
    CHECK(has(*page, "plan 2"));
    const auto empty = render_html(
        report(R"([{"type":"chart","series":[{"label":"none","points":[]}]}])"), charts());
    CHECK(empty.has_value());
}

TEST_CASE("a report has a hundred charts and not more") {
    const Json chart = {{"type", "chart"}, {"series", {{{"points", {{1, 2}}}}}}};
    Json blocks = Json::array();
    for (int i = 0; i < 100; ++i) blocks.push_back(chart);
    CHECK(check_blocks(blocks).has_value());
    blocks.push_back(chart);
    CHECK(refusal(blocks.dump().c_str()) == "/100");
    Json many = Json::array();
    for (int i = 0; i < 50'001; ++i) many.push_back({i, i});
    const Json large = {{"type", "chart"}, {"series", {{{"points", std::move(many)}}}}};
    CHECK(refusal(Json::array({large}).dump().c_str()) == "/0");
}

TEST_CASE("CSV guards against formulas and leaves numbers alone") {
    const std::string text =
        render_csv(report(R"([{"type":"table","columns":[{"label":"a"},{"label":"b"}],
                    "rows":[["=1+1","-5"],["@x","+1"],["a,b","say \"x\""],["-x"]]}])"));
    CHECK(text == "a,b\r\n'=1+1,-5\r\n'@x,+1\r\n\"a,b\",\"say \"\"x\"\"\"\r\n'-x,\r\n");
}

TEST_CASE("CSV is read with its lines, quotes and byte-order mark") {
    std::vector<CsvRow> rows;
    const auto keep = [&](CsvRow row) {
        rows.push_back(std::move(row));
        return true;
    };
    REQUIRE(read_csv("\xEF\xBB\xBFid,name\r\n1,\"two\nlines\"\r\n2,\"a \"\"b\"\"\"\n3,", keep));
    REQUIRE(rows.size() == 4);
    CHECK(rows[0].cells[0] == "id");
    CHECK(rows[1].cells[1] == "two\nlines");
    CHECK(rows[2].line == 4);
    CHECK(rows[2].cells[1] == "a \"b\"");
    CHECK(rows[3].cells.size() == 2);
    const auto open = read_csv("a,b\n1,\"x\n", keep);
    REQUIRE_FALSE(open);
    CHECK(open.error().line == 2);
    const auto middle = read_csv("a\nb\nx\"y\" z,1\n", keep);
    REQUIRE_FALSE(middle);
    CHECK(middle.error().line == 3);
    CHECK_FALSE(read_csv(std::string_view("a\0b", 3), keep));
}

TEST_CASE("a row that is no CSV is told, and the rows around it are read") {
    std::vector<std::string> firsts;
    std::vector<std::uint64_t> bad;
    REQUIRE(read_csv(
        std::string_view("a,b\n1,x\n2,6\" pipe\n3,y\n4,\"open\n5,z\n6,\0\n7,w\n", 42),
        [&](const CsvRow& row) {
            firsts.push_back(row.cells.front());
            return true;
        },
        [&](const Error& error) { bad.push_back(error.line.value_or(0)); }));
    CHECK(firsts == std::vector<std::string>{"a", "1", "3", "5", "7"});
    CHECK(bad == std::vector<std::uint64_t>{3, 5, 7});
}

TEST_CASE("cells are parted by what the header has most of") {
    for (const char* text : {"a;b\n1,5;2\n", "a\tb\n1,5\t2\n", "\"x,y,z\";b\n1,5;2\n"}) {
        std::vector<std::string> cells;
        REQUIRE(read_csv(text, [&](const CsvRow& row) {
            cells = row.cells;
            return true;
        }));
        CHECK(cells == std::vector<std::string>{"1,5", "2"});
    }
}

TEST_CASE("text comes in as UTF-8, whatever a spreadsheet saved it as") {
    const auto read = [](std::string bytes) {
        const auto out = decoded(std::move(bytes));
        REQUIRE(out);
        return out->encoding + "|" + out->text;
    };
    CHECK(read("\xEF\xBB\xBFZo\xC3\xAB") == "|Zo\xC3\xAB");
    CHECK(read(std::string("\xFF\xFEZ\0\xEB\0", 6)) == "UTF-16|Z\xC3\xAB");
    CHECK(read(std::string("\xFE\xFF\0Z\0\xEB", 6)) == "UTF-16|Z\xC3\xAB");
    CHECK(read(std::string("i\0d\0,\0\xEB\0", 8)) == "UTF-16|id,\xC3\xAB");
    CHECK(read("Zo\xEB \x80") == "Windows-1252|Zo\xC3\xAB \xE2\x82\xAC");
    CHECK_FALSE(decoded("\x81\x8D"));  // no letters of any of them
    CHECK_FALSE(decoded(std::string("\xFF\xFE\x00\xD8", 4)));
}

TEST_CASE("columns in a terminal keep to its width") {
    const auto text = text_table({{"LEVEL", "WHAT", "NONE", "WHO"},
                                  {"urgent", "Storm doors are to be closed", "", "Zoë"},
                                  {"now", "x", "", "unbreakable-name-of-a-person"}},
                                 32);
    for (const auto& line : wrapped(text, 1000)) CHECK(characters(line) <= 32);
    CHECK(text.find("NONE") == std::string::npos);
    CHECK(text.find("Storm") != std::string::npos);
    CHECK(wrapped("a bb ccc", 4) == std::vector<std::string>{"a bb", "ccc"});
    CHECK(wrapped("ññññññ", 4) == std::vector<std::string>{"ññññ", "ññ"});
}

TEST_CASE("iCalendar has stable identities, folded lines and whole days") {
    const auto text = render_ics(report(R"([{"type":"events","events":[
            {"uid":"d1@x","date":"2026-07-13","summary":"Deadline, matter 2026-014; \\ and more words so that the line must be folded é"},
            {"uid":"s1@x","start":"2026-05-04T08:00:00-04:00","end":"2026-05-04T15:00:00-04:00","summary":"Shift","alarm_minutes":15},
            {"uid":"t1@x","date":"2026-05-05","summary":"Do","todo":true,"status":"COMPLETED"}]}])"),
                                 1'700'000'000'000);
    REQUIRE(text);
    CHECK(has(*text, "DTSTART;VALUE=DATE:20260713\r\n"));
    CHECK(has(*text, "DTSTART:20260504T120000Z\r\n"));
    CHECK(has(*text, "Deadline\\, matter 2026-014\\; \\\\ and"));
    CHECK(has(*text, "BEGIN:VTODO"));
    CHECK(has(*text, "TRIGGER:-PT15M"));
    for (std::size_t from = 0; from < text->size();) {
        const auto to = text->find("\r\n", from);
        REQUIRE(to != std::string::npos);
        CHECK(to - from <= 75);
        from = to + 2;
    }
    const auto wrong = render_ics(
        report(R"([{"type":"events","events":[{"uid":"x","date":"2026-02-30","summary":"s"}]}])"),
        0);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().pointer == "/0/events/0");
}

TEST_CASE("blocks that are wrong are named by pointer") {
    CHECK(refusal(R"([{"type":"blink"}])") == "/0/type");
    CHECK(refusal(R"([{"type":"text"}])") == "/0");
    CHECK(
        refusal(R"([{"type":"page"},{"type":"table","columns":[{"label":"a"}],"rows":[[1,2]]}])") ==
        "/1/rows/0");
    CHECK(refusal(R"([{"type":"table","columns":[{"label":"a"}],"rows":[[{}]]}])") ==
          "/0/rows/0/0");
}
