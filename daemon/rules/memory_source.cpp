#include "rules/memory_source.h"

#include <algorithm>

namespace dutybook::rules {

namespace {

bool holds(const RuleRecord& record, const std::string& field, const std::string& value) {
    const auto found = record.fields.find(field);
    if (found == record.fields.end()) return false;
    if (found->second == value) return true;
    if (!found->second.starts_with('[')) return false;
    const Json list = Json::parse(found->second, nullptr, false);
    return list.is_array() && std::any_of(list.begin(), list.end(), [&](const Json& element) {
               return canonical(element) == value;
           });
}

bool in_range(const RuleRecord& record, const NeedQuery& query) {
    if (query.field.empty()) return true;
    const auto found = record.fields.find(query.field);
    if (found == record.fields.end()) return false;
    const Json value = Json::parse(found->second, nullptr, false);
    if (!value.is_string()) return false;
    const auto& text = value.get_ref<const std::string&>();
    constexpr std::size_t date_size = 10;  // YYYY-MM-DD
    if (text.size() == date_size) {
        return (!query.from_date || text >= *query.from_date) &&
               (!query.to_date || text <= *query.to_date);
    }
    const auto at = parse_instant(text);
    return at && (!query.from || *at >= *query.from) && (!query.to || *at <= *query.to);
}

}  // namespace

bool matches(const RuleRecord& record, const NeedQuery& query) {
    if (record.deleted || (!query.kind.empty() && record.kind != query.kind)) return false;
    if (!query.space.empty() && record.space != query.space) return false;
    return in_range(record, query) &&
           std::all_of(query.where.begin(), query.where.end(), [&](const auto& condition) {
               return holds(record, condition.first, condition.second);
           });
}

void MemorySource::put(RuleRecord record) {
    const auto key = std::make_pair(record.space, record.id);
    records_.insert_or_assign(key, std::move(record));
}

const RuleRecord* MemorySource::get(const std::string& space, const std::string& id) const {
    const auto found = records_.find({space, id});
    return found == records_.end() ? nullptr : &found->second;
}

// An id without a space is the own space's, and the parent's where the own has none.
bool MemorySource::has_id(const RuleRecord& record, const NeedQuery& query) const {
    if (query.ids.empty()) return true;
    const bool own = record.space == home_;
    return std::any_of(query.ids.begin(), query.ids.end(), [&](const std::string& id) {
        if (own) return id == record.id;
        return id == record.space + "/" + record.id ||
               (id == record.id && get(home_, id) == nullptr);
    });
}

Result<NeedAnswer> MemorySource::find(const NeedQuery& query) {
    std::map<std::string, RuleRecord> found;
    for (const auto& [key, record] : records_) {
        if (!has_id(record, query) || !matches(record, query)) continue;
        RuleRecord seen = record;
        if (seen.space != home_) seen.id = seen.space + "/" + seen.id;
        found.emplace(seen.id, std::move(seen));
    }
    NeedAnswer answer;
    for (auto& [id, record] : found) {
        if (answer.records.size() == query.limit) {
            answer.cut_off = true;
            break;
        }
        answer.records.push_back(std::move(record));
    }
    return answer;
}

}  // namespace dutybook::rules
