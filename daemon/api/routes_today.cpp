// What needs attention: today, and what is due. Plugins contribute by bringing a report called
// `today` or `due`, whose table has the columns level, when, what, place, who, record; the host
// adds the findings that nobody answered, sorts and cuts.

#include "api/call.h"
#include "api/open_findings.h"
#include "api/reference.h"
#include "api/report_run.h"
#include "core/plugins.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace dutybook::api {

namespace {

// Most urgent first; what a plugin calls otherwise comes last.
constexpr std::array<std::string_view, 8> levels{"urgent",     "overdue", "expired", "now",
                                                 "unanswered", "today",   "soon",    "open"};
constexpr std::array<std::string_view, 6> columns{"level", "when", "what",
                                                  "place", "who",  "record"};

struct Item {
    std::array<std::string, columns.size()> cells;
    std::string source;  // report or rule

    auto key() const {
        const auto level = std::find(levels.begin(), levels.end(), cells[0]) - levels.begin();
        // What has no time comes after what has one.
        return std::tuple(level, cells[1].empty(), cells[1], cells[2], cells[5], source);
    }
    Json json() const {
        Json out = {{"source", source}};
        for (std::size_t i = 0; i < columns.size(); ++i) out[std::string(columns[i])] = cells[i];
        return out;
    }
};

std::string cell(const Json& row, std::size_t at) {
    if (at >= row.size() || row[at].is_null()) return {};
    return row[at].is_string() ? row[at].get<std::string>() : canonical(row[at]);
}

void take_table(const Json& block, const std::string& source, std::vector<Item>& items) {
    const Json& head = block["columns"];
    if (head.size() != columns.size()) return;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (head[i].value("id", "") != columns[i]) return;
    }
    for (const Json& row : block.value("rows", Json::array())) {
        Item item;
        item.source = source;
        for (std::size_t i = 0; i < columns.size(); ++i) item.cells[i] = cell(row, i);
        items.push_back(std::move(item));
    }
}

// One plugin that fails takes nothing of the others away; what it would have said is missed.
Item not_made(const std::string& report, const Error& error, const std::string& language) {
    const std::string what = (language.starts_with("es") ? "No se pudo hacer la lista "
                                                         : "The list could not be made: ") +
                             report + " (" + error.text() + ")";
    return {{"urgent", "", what, "", "", ""}, report};
}

struct Asked {
    std::string report;  // today, due
    Json parameters;
    std::string person, language;
};

void ask_plugins(const Call& call, core::SpaceService& space, const Asked& asked,
                 std::vector<Item>& items) {
    for (const auto& status : call.services.plugins->host().statuses()) {
        const auto plugin = call.services.plugins->host().find(status.id);
        if (!plugin || plugin->spaces.count(space.facts().name) == 0) continue;
        if (plugin->package.manifest.report(asked.report) == nullptr) continue;
        const std::string name = status.id + "." + asked.report;
        const auto made = run_report(call, space, name, asked.parameters, asked.language);
        if (!made) {
            items.push_back(not_made(name, made.error(), asked.language));
            continue;
        }
        for (const Json& block : made->blocks) {
            if (block.value("type", "") == "table") take_table(block, name, items);
        }
    }
}

Result<Response> answer(const Call& call, const Asked& asked) {
    TRY_ASSIGN(core::SpaceService* const space, call.space());
    std::vector<Item> items;
    ask_plugins(call, *space, asked, items);
    OpenFindingsQuery query;
    query.person = asked.person;
    query.language = asked.language;
    TRY_ASSIGN(const OpenFindings findings, open_findings(call, *space, query));
    for (const auto& one : findings.shown) {
        items.push_back({{"unanswered", one.when, one.what, "", one.who, one.record}, one.rule});
    }
    std::sort(items.begin(), items.end(),
              [](const Item& a, const Item& b) { return a.key() < b.key(); });
    Json list = Json::array();
    for (const Item& item : items) list.push_back(item.json());
    return json_response(
        {{"items", std::move(list)}, {"next", nullptr}, {"more_findings", findings.more}});
}

Result<std::string> day_of(const Call& call, const char* name) {
    const std::string& zone = call.services.book->site().zone;
    TRY_ASSIGN(const auto at, call.instant(name));
    return local_date(at ? *at : call.services.clock->now(), zone);
}

// An id, its beginning, or @words. A person may be known by a name alone, without a record.
Result<std::string> person_of(const Call& call) {
    const std::string& words = call.query("person");
    if (words.empty()) return words;
    const auto found = find_record_of(call, words, {"core.person"});
    if (!found && words.front() == '@') return found.error();
    const bool person = found && found->record.state.kind == "core.person";
    return person ? found->record.state.id : words;
}

Result<Asked> asked_of(const Call& call, const char* report) {
    Asked asked;
    asked.report = report;
    TRY_ASSIGN(asked.person, person_of(call));
    asked.language = call.language();
    TRY_ASSIGN(const std::string day, day_of(call, "date"));
    asked.parameters = {{"date", day}};
    if (!asked.person.empty()) asked.parameters["person"] = asked.person;
    return asked;
}

Result<Response> today(Call& call) {
    TRY_ASSIGN(const Asked asked, asked_of(call, "today"));
    return answer(call, asked);
}

Result<Response> due(Call& call) {
    TRY_ASSIGN(Asked asked, asked_of(call, "due"));
    constexpr int usual_days = 30;
    int days = usual_days;
    if (const std::string& text = call.query("days"); !text.empty()) {
        const Json number = Json::parse(text, nullptr, false);
        if (!number.is_number_unsigned() || number > 3660) {
            return malformed("days must be a whole number up to 3660");
        }
        days = number.get<int>();
    }
    asked.parameters["days"] = days;
    return answer(call, asked);
}

std::vector<Query> common() {
    return {
        {"person", Type::Text, "the person: an id, its beginning or @words; without it everybody"},
        {"date", Type::Instant, "the day, today without it"},
        {"language", Type::Text, "of the reader: en, es"}};
}

}  // namespace

std::vector<Endpoint> today_routes() {
    auto due_query = common();
    due_query.push_back({"days", Type::Number, "how far ahead, 30 without it"});
    return {
        {.path = "/v1/spaces/{space}/today",
         .name = "listToday",
         .summary = "The day: what needs attention first, then shifts, duties and meetings.",
         .query = common(),
         .answer = "attention",
         .list = true,
         .runs = Runs::Pool,
         .run = answering(today)},
        {.path = "/v1/spaces/{space}/due",
         .name = "listDue",
         .summary = "What expires, is overdue or unanswered.",
         .query = due_query,
         .answer = "attention",
         .list = true,
         .runs = Runs::Pool,
         .run = answering(due)},
    };
}

}  // namespace dutybook::api
