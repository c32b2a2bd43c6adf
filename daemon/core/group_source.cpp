#include "core/group_source.h"

#include <algorithm>
#include <bit>

namespace dutybook::core {

namespace {

std::string key_of(const std::string& field, const std::string& kind, const std::string& value) {
    return field + '\n' + kind + '\n' + value;
}

// The values by which a field is found: itself, and what a list holds.
std::vector<std::string> values_of(const std::string& text) {
    std::vector<std::string> values{text};
    if (!text.starts_with('[')) return values;
    const Json list = Json::parse(text, nullptr, false);
    if (!list.is_array()) return values;
    for (const Json& item : list) values.push_back(canonical(item));
    return values;
}

}  // namespace

void GroupSource::enter(std::size_t place, const std::string& field) {
    const rules::RuleRecord& record = records_[place];
    if (field.empty()) {
        by_value_[key_of(field, record.kind, "")].push_back(place);
        return;
    }
    const auto found = record.fields.find(field);
    if (found == record.fields.end()) return;
    for (const std::string& value : values_of(found->second)) {
        Places& places = by_value_[key_of(field, record.kind, value)];
        if (places.empty() || places.back() != place) places.push_back(place);
    }
}

void GroupSource::add(rules::RuleRecord record) {
    by_id_[record.id].push_back(records_.size());
    records_.push_back(std::move(record));
    for (const std::string& field : asked_) enter(records_.size() - 1, field);
}

void GroupSource::keep(std::size_t count) {
    while (records_.size() > count) {
        const auto places = by_id_.find(records_.back().id);
        places->second.pop_back();
        if (places->second.empty()) by_id_.erase(places);
        records_.pop_back();
    }
    asked_.clear();
    by_value_.clear();
    looking_for_all();
}

void GroupSource::looking_for(const rules::RuleRecord& subject) {
    const auto places = by_id_.find(subject.id);
    seen_ = places == by_id_.end() ? records_.size() : places->second.back() + 1;
}

const rules::RuleRecord* GroupSource::seen(const std::string& id) const {
    const auto places = by_id_.find(id);
    if (places == by_id_.end()) return nullptr;
    const auto behind = std::lower_bound(places->second.begin(), places->second.end(), seen_);
    return behind == places->second.begin() ? nullptr : &records_[*std::prev(behind)];
}

GroupSource::Places GroupSource::candidates(const rules::NeedQuery& query) {
    Places found;
    if (!query.ids.empty()) {
        for (const std::string& id : query.ids) {
            const auto places = by_id_.find(id);
            if (places == by_id_.end()) continue;
            found.insert(found.end(), places->second.begin(), places->second.end());
        }
        return found;
    }
    const std::string field = query.where.empty() ? std::string() : query.where.front().first;
    if (asked_.insert(field).second) {
        for (std::size_t place = 0; place < records_.size(); ++place) enter(place, field);
    }
    const auto places = by_value_.find(
        key_of(field, query.kind, query.where.empty() ? "" : query.where.front().second));
    return places == by_value_.end() ? found : places->second;
}

Result<rules::NeedAnswer> GroupSource::find(const rules::NeedQuery& query) {
    const bool own = query.space.empty() || query.space == facts_.name;
    if (!own || seen_ == 0) return index_.find(query);
    rules::NeedQuery rest = query;
    rest.limit += std::bit_ceil(records_.size());  // room for what is hidden below
    std::erase_if(rest.ids, [this](const std::string& id) { return seen(id) != nullptr; });
    rules::NeedAnswer answer;
    if (query.ids.empty() || !rest.ids.empty()) {
        TRY_ASSIGN(answer, index_.find(rest));
    }
    std::erase_if(answer.records, [this](const rules::RuleRecord& record) {
        return record.space == facts_.name && seen(record.id) != nullptr;
    });
    const std::size_t stored = answer.records.size();
    for (const std::size_t place : candidates(query)) {
        if (place >= seen_) continue;
        const rules::RuleRecord& record = records_[place];
        if (seen(record.id) != &record || !answers(record, query)) continue;
        answer.records.push_back(record);
    }
    if (answer.records.size() > stored) {
        std::sort(answer.records.begin(), answer.records.end(),
                  [](const auto& a, const auto& b) { return a.id < b.id; });
    }
    answer.cut_off = answer.cut_off || answer.records.size() > query.limit;
    if (answer.cut_off && answer.records.size() > query.limit) answer.records.resize(query.limit);
    return answer;
}

}  // namespace dutybook::core
