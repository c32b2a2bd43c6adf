#include "core/record_source.h"

#include "base/clock.h"

#include <algorithm>

namespace dutybook::core {

namespace {

bool holds(const domain::RecordState& state, const std::string& field, const std::string& value) {
    const auto found = state.fields.find(field);
    if (found == state.fields.end()) return false;
    if (found->second == value) return true;
    if (found->second.empty() || found->second.front() != '[') return false;
    const Json list = Json::parse(found->second, nullptr, false);
    return list.is_array() && std::any_of(list.begin(), list.end(), [&](const Json& item) {
               return canonical(item) == value;
           });
}

// Ends are inclusive; of a calendar date the date counts, else the instant.
bool in_range(const domain::RecordState& state, const rules::NeedQuery& query) {
    if (query.field.empty()) return true;
    const auto found = state.fields.find(query.field);
    if (found == state.fields.end()) return false;
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

bool matches(const domain::RecordState& state, const rules::NeedQuery& query) {
    if (state.deleted || !state.born) return false;
    if (!query.kind.empty() && state.kind != query.kind) return false;
    return in_range(state, query) &&
           std::all_of(query.where.begin(), query.where.end(), [&](const auto& condition) {
               return holds(state, condition.first, condition.second);
           });
}

}  // namespace

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
    rules::NeedAnswer answer;
    const bool own = query.space.empty() || query.space == facts_.name;
    const bool parent =
        query.space.empty() ? !facts_.parent.empty() : query.space == facts_.parent && !own;
    if (!own && !parent) return answer;
    std::map<std::string, rules::RuleRecord> found;
    const Take take = [&](const store::StoredRecord& record, const std::string& space) {
        if (!matches(record.state, query)) return;
        const bool here = space == facts_.name;
        const std::string id = here ? record.state.id : space + "/" + record.state.id;
        auto taken = rule_record(record.state, record.version, space);
        taken.id = id;
        found.emplace(id, std::move(taken));
    };
    if (!query.ids.empty()) {
        TRY(by_ids(query, {own, parent}, answer, take));
    } else {
        TRY_ASSIGN(answer.parent_missing, by_conditions(query, {own, parent}, take));
    }
    for (auto& [id, record] : found) {
        if (answer.records.size() == query.limit) {
            answer.cut_off = true;
            break;
        }
        answer.records.push_back(std::move(record));
    }
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
        if (!parts_.parent_record) {
            answer.parent_missing = true;
            continue;
        }
        TRY_ASSIGN(const auto record,
                   parts_.parent_record(in_parent ? id.substr(prefix.size()) : id));
        if (record) take(*record, facts_.parent);
    }
    return {};
}

Result<bool> IndexSource::by_conditions(const rules::NeedQuery& query, Where where,
                                        const Take& take) const {
    // The index narrows by kind and fields; the time range is judged here, because the index knows
    // only that of the effective date.
    const auto walk = [&](const auto& list, const std::string& space) -> Result<void> {
        store::Query page;
        page.kind = query.kind;
        page.where = query.where;
        page.limit = 1000;
        do {
            TRY_ASSIGN(const store::Page got, list(page));
            for (const auto& record : got.records) take(record, space);
            page.after = got.next;
        } while (!page.after.empty());
        return {};
    };
    if (where.own) {
        TRY(walk([this](const store::Query& page) { return parts_.index->reader().list(page); },
                 facts_.name));
    }
    if (!where.parent) return false;
    if (!parts_.parent_list) return true;
    TRY(walk(parts_.parent_list, facts_.parent));
    return false;
}

}  // namespace dutybook::core
