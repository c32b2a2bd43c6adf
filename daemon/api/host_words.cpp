#include "api/host_words.h"

#include "api/reference.h"
#include "core/circle.h"

#include <algorithm>
#include <array>

namespace dutybook::api {

std::string plain(const Json& value) {
    if (value.is_null()) return "";
    return value.is_string() ? value.get<std::string>() : canonical(value);
}

namespace {

std::ptrdiff_t rank_of(const std::string& privacy) {
    constexpr std::array<std::string_view, 5> classes{"ordinary", "hr", "education", "health",
                                                      "privileged"};
    return std::find(classes.begin(), classes.end(), privacy) - classes.begin();
}

Json heading(const std::string& text) {
    return {{"type", "heading"}, {"level", 1}, {"text", text}};
}

Json table(const std::vector<std::string>& labels, Json rows) {
    Json columns = Json::array();
    for (const auto& label : labels) columns.push_back({{"label", label}});
    return {{"type", "table"}, {"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

}  // namespace

Words::Words(HostReport& report)
    : report_(report),
      spanish_(report.language.starts_with("es")),
      walls_(report.call.services, report.space, reader_of(report.call)) {
    const auto* circle = report.call.services.book->circle(report.space.facts().name);
    if (circle != nullptr) members_ = circle->membership();
}

std::string Words::site(const std::string& id) const {
    const auto* const member = members_ ? members_->find(id) : nullptr;
    return member != nullptr && !member->name.empty() ? member->name : id.substr(0, 8);
}

std::string Words::moment(Millis at) const {
    if (at == 0) return text("never", "nunca");
    std::string out = format_in_zone(at, report_.call.services.book->site().zone);
    out[10] = ' ';
    return out.substr(0, 16);
}

std::string Words::kind(const std::string& kind) const {
    const Json labels = described(kind).value("labels", Json::object());
    return labels.value(spanish_ ? "es" : "en", labels.value("en", kind));
}

std::string Words::field(const std::string& kind, const std::string& name) const {
    for (const Json& one : described(kind).value("fields", Json::array())) {
        if (one.value("name", "") != name) continue;
        const Json labels = one.value("labels", Json::object());
        return labels.value(spanish_ ? "es" : "en", labels.value("en", name));
    }
    return name;
}

std::string Words::person(const std::string& id) const {
    const auto [known, is_new] = people_.try_emplace(id, id);
    if (!is_new) return known->second;
    core::Book& book = *report_.call.services.book;
    for (core::SpaceService* in : {&report_.space, book.space(report_.space.facts().parent)}) {
        if (in == nullptr) continue;
        const auto record = in->reader().get(id);
        if (!record || !*record || (*record)->state.kind != "core.person") continue;
        const auto& fields = (*record)->state.fields;
        known->second = plain(value_of(fields, "given")) + " " + plain(value_of(fields, "family"));
        break;
    }
    return known->second;
}

std::string Words::record(const domain::RecordState& state) const {
    const auto* const traits = report_.call.services.book->kinds().find(state.kind);
    std::string out = kind(state.kind);
    if (const std::string title = title_of(state); !title.empty()) out += " \"" + title + '"';
    if (traits != nullptr && !traits->effective.empty()) {
        std::string when = plain(value_of(state.fields, traits->effective));
        if (const auto at = parse_instant(when)) when = moment(*at);
        if (!when.empty()) out += " " + when;
    }
    out += " (" + state.id + "), " + site(std::string(origin(state)));
    return state.created.by.empty() ? out : out + ", " + person(state.created.by);
}

Result<bool> Words::hides(const domain::RecordState& state) {
    const auto* const traits = report_.call.services.book->kinds().find(state.kind);
    const std::string privacy = traits != nullptr ? traits->privacy : "unknown";
    TRY_ASSIGN(const bool hidden, walls_.hides(state));
    if (hidden && hidden_.insert(state.id).second) ++report_.hidden;
    if (!hidden && rank_of(privacy) > rank_of(report_.privacy)) report_.privacy = privacy;
    return hidden;
}

const Json& Words::described(const std::string& kind) const {
    const auto [at, is_new] = described_.try_emplace(kind);
    if (is_new) at->second = report_.call.services.book->kinds().describe(kind);
    return at->second;
}

void add_table(Json& blocks, const std::string& title, const std::vector<std::string>& labels,
               Json rows, const Words& words) {
    blocks.push_back(heading(title));
    if (rows.empty()) {
        blocks.push_back({{"type", "text"}, {"text", words.text("none", "ninguno")}});
    } else {
        blocks.push_back(table(labels, std::move(rows)));
    }
}

Result<Seen> records_of(const rules::Finding& finding, HostReport& report, Words& words) {
    Seen seen;
    TRY_ASSIGN(seen.hidden, words.hides_some(finding));
    std::set<std::string> sites;
    for (const std::string& id : finding.records) {
        TRY_ASSIGN(auto record, report.space.reader().get(id));
        if (!record) continue;
        TRY_ASSIGN(const bool hidden, words.hides(record->state));
        seen.hidden = seen.hidden || hidden;
        seen.since = std::max(seen.since, record->state.created.at);
        sites.insert(words.site(std::string(Words::origin(record->state))));
        seen.states.push_back(std::move(record->state));
    }
    for (const auto& site : sites) seen.sites += (seen.sites.empty() ? "" : ", ") + site;
    return seen;
}

}  // namespace dutybook::api
