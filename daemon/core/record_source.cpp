#include "core/record_source.h"

#include "base/clock.h"

#include <algorithm>

namespace dutybook::core {

namespace {

using Fields = std::map<std::string, std::string>;

bool holds(const Fields& fields, const std::string& field, const std::string& value) {
    const auto found = fields.find(field);
    if (found == fields.end()) return false;
    if (found->second == value) return true;
    if (found->second.empty() || found->second.front() != '[') return false;
    const Json list = Json::parse(found->second, nullptr, false);
    return list.is_array() && std::any_of(list.begin(), list.end(), [&](const Json& item) {
               return canonical(item) == value;
           });
}

// Ends are inclusive; of a calendar date the date counts, else the instant.
bool in_range(const Fields& fields, const rules::NeedQuery& query) {
    if (query.field.empty()) return true;
    const auto found = fields.find(query.field);
    if (found == fields.end()) return false;
    const Json value = Json::parse(found->second, nullptr, false);
    if (!value.is_string()) return false;
    const auto text = value.get<std::string>();
    if (text.size() == 10) {
        return (!query.from_date || text >= *query.from_date) &&
               (!query.to_date || text <= *query.to_date);
    }
    const auto at = parse_instant(text);
    return at && (!query.from || *at >= *query.from) && (!query.to || *at <= *query.to);
}

// Of a calendar date; nothing after the last one that can be written.
std::optional<std::string> day_after(const std::string& date) {
    if (date >= "9999-12-31") return std::nullopt;
    const auto midnight = parse_instant(date + "T00:00:00Z");
    if (!midnight) return std::nullopt;
    return format_utc(*midnight + 24 * Millis{3'600'000}).substr(0, 10);
}

// `record`: as rules see it, or as the index holds it.
template <class Record>
bool matches(const Record& record, const rules::NeedQuery& query) {
    if (record.deleted || (!query.kind.empty() && record.kind != query.kind)) return false;
    return in_range(record.fields, query) &&
           std::all_of(query.where.begin(), query.where.end(), [&](const auto& condition) {
               return holds(record.fields, condition.first, condition.second);
           });
}

std::string text_of(const rules::NeedQuery& query) {
    std::string text =
        query.kind + '\n' + query.space + '\n' + query.field + '\n' + std::to_string(query.limit);
    for (const std::string& id : query.ids) text += "\ni" + id;
    for (const auto& [field, value] : query.where) text += "\nw" + field + '=' + value;
    const auto instant = [&](const char* name, const std::optional<Millis>& at) {
        if (at) text += name + std::to_string(*at);
    };
    instant("\nf", query.from);
    instant("\nt", query.to);
    if (query.from_date) text += "\nF" + *query.from_date;
    if (query.to_date) text += "\nT" + *query.to_date;
    return text;
}

}  // namespace

bool answers(const rules::RuleRecord& record, const rules::NeedQuery& query) {
    return matches(record, query);
}

rules::RuleRecord rule_record(const domain::RecordState& state, const std::string& version,
                              const std::string& space) {
    rules::RuleRecord out;
    out.id = state.id;
    out.kind = state.kind;
    out.space = space;
    out.version = version;
    out.status = state.status;
    out.deleted = state.deleted;
    out.fields = state.fields;
    out.by = state.created.by;
    out.on_behalf = state.created.on_behalf;
    out.device = state.created.device;
    out.source = state.created.source;
    out.zone = state.created.zone;
    out.created_at = state.created.at;
    out.changed_at = state.changed_at;
    return out;
}

Result<rules::NeedAnswer> IndexSource::find(const rules::NeedQuery& query) {
    std::string text = text_of(query);
    const auto found = remembered_.find(text);
    if (found != remembered_.end()) return found->second;
    TRY_ASSIGN(rules::NeedAnswer answer, look_up(query));
    if (records_remembered_ > most_remembered) {
        remembered_.clear();
        records_remembered_ = 0;
    }
    records_remembered_ += answer.records.size() + 1;
    remembered_.emplace(std::move(text), answer);
    return answer;
}

Result<rules::NeedAnswer> IndexSource::look_up(const rules::NeedQuery& query) const {
    rules::NeedAnswer answer;
    const bool own = query.space.empty() || query.space == facts_.name;
    const bool parent =
        query.space.empty() ? !facts_.parent.empty() : query.space == facts_.parent && !own;
    if (!own && !parent) return answer;
    std::vector<rules::RuleRecord> found;
    const Take take = [&](const store::StoredRecord& record, const std::string& space) {
        if (!record.state.born || !matches(record.state, query)) return;
        found.push_back(rule_record(record.state, record.version, space));
        if (space != facts_.name) found.back().id = space + "/" + record.state.id;
    };
    if (!query.ids.empty()) {
        TRY(by_ids(query, {own, parent}, answer, take));
    } else {
        const auto enough = [&] { return found.size() > query.limit; };
        TRY_ASSIGN(answer.parent_missing, by_conditions(query, {own, parent}, take, enough));
    }
    const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
    const auto same_id = [](const auto& a, const auto& b) { return a.id == b.id; };
    std::sort(found.begin(), found.end(), by_id);
    found.erase(std::unique(found.begin(), found.end(), same_id), found.end());
    answer.cut_off = found.size() > query.limit;
    if (answer.cut_off) found.resize(query.limit);
    answer.records = std::move(found);
    return answer;
}

Result<void> IndexSource::by_ids(const rules::NeedQuery& query, Where where,
                                 rules::NeedAnswer& answer, const Take& take) const {
    const std::string prefix = facts_.parent + "/";
    for (const auto& id : query.ids) {
        const bool in_parent = !facts_.parent.empty() && id.rfind(prefix, 0) == 0;
        if (!in_parent && where.own) {
            TRY_ASSIGN(const auto record, parts_.index->reader().get(id));
            if (record) {
                take(*record, facts_.name);
                continue;
            }
        }
        if (!where.parent) continue;
        const auto look = [&](store::IndexReader& parent) -> Result<void> {
            TRY_ASSIGN(const auto record, parent.get(in_parent ? id.substr(prefix.size()) : id));
            if (record) take(*record, facts_.parent);
            return {};
        };
        TRY_ASSIGN(const bool here, read_parent(look));
        if (!here) answer.parent_missing = true;
    }
    return {};
}

Result<bool> IndexSource::read_parent(const SpaceParts::Reading& read) const {
    if (!parts_.read_parent) return false;
    return parts_.read_parent(read);
}

void IndexSource::narrow_time(const rules::NeedQuery& query, store::Query& page) const {
    const auto* traits = parts_.kinds->find(query.kind);
    if (traits == nullptr || query.field.empty() || traits->effective != query.field) return;
    if (query.from && query.from_date) {
        page.since = query.from;
        page.since_date = query.from_date;
    }
    // The need's ends are inclusive, the index's upper one is not.
    const auto next_day = query.to_date ? day_after(*query.to_date) : std::nullopt;
    if (query.to && next_day) {
        page.until = *query.to + 1;
        page.until_date = next_day;
    }
}

Result<bool> IndexSource::by_conditions(const rules::NeedQuery& query, Where where,
                                        const Take& take,
                                        const std::function<bool()>& enough) const {
    // The index narrows by kind, fields and the time of effect; a range of another field is judged
    // here alone.
    const auto walk = [&](store::IndexReader& reader, const std::string& space) -> Result<void> {
        store::Query page;
        page.kind = query.kind;
        page.where = query.where;
        narrow_time(query, page);
        page.limit = 1000;
        do {
            TRY_ASSIGN(const store::Page got, reader.list(page));
            for (const auto& record : got.records) take(record, space);
            page.after = got.next;
        } while (!page.after.empty() && !enough());
        return {};
    };
    if (where.own) TRY(walk(parts_.index->reader(), facts_.name));
    if (!where.parent) return false;
    TRY_ASSIGN(const bool here, read_parent([&](store::IndexReader& parent) {
                   return walk(parent, facts_.parent);
               }));
    return !here;
}

}  // namespace dutybook::core
