#pragma once
// Records in memory, in a school's space and its district's, looked up as the core does.

#include "base/clock.h"
#include "rules/needs.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dutybook::rules::test {

inline RuleRecord record(std::string id, std::string kind, const Json& fields,
                         std::string space = "school") {
    RuleRecord made;
    made.id = std::move(id);
    made.kind = std::move(kind);
    made.space = std::move(space);
    made.version = "v1";
    for (const auto& [name, value] : fields.items()) made.fields[name] = canonical(value);
    return made;
}

class MemoryKinds final : public domain::KindCatalog {
public:
    MemoryKinds(std::initializer_list<std::pair<std::string, std::vector<std::string>>> kinds) {
        for (const auto& [kind, references] : kinds) {
            kinds_[kind].name = kind;
            for (const auto& field : references) kinds_[kind].fields[field].refers = "core.person";
        }
    }
    const domain::KindTraits* find(std::string_view kind) const override {
        const auto found = kinds_.find(std::string(kind));
        return found == kinds_.end() ? nullptr : &found->second;
    }

private:
    std::map<std::string, domain::KindTraits> kinds_;
};

class MemorySource final : public RecordSource {
public:
    std::vector<RuleRecord> records;  // ids as their own space writes them
    std::string home = "school", parent = "district";
    mutable std::vector<NeedQuery> asked;

    Result<NeedAnswer> find(const NeedQuery& query) override {
        asked.push_back(query);
        NeedAnswer answer;
        for (const RuleRecord& candidate : records) {
            if (matches(candidate, query)) answer.records.push_back(seen(candidate));
        }
        std::sort(answer.records.begin(), answer.records.end(),
                  [](const RuleRecord& a, const RuleRecord& b) { return a.id < b.id; });
        if (answer.records.size() > query.limit) {
            answer.records.resize(query.limit);
            answer.cut_off = true;
        }
        return answer;
    }

    RuleRecord seen(RuleRecord record) const {
        if (record.space != home) record.id = record.space + "/" + record.id;
        return record;
    }

private:
    bool has_id(const RuleRecord& candidate, const NeedQuery& query) const {
        if (query.ids.empty()) return true;
        return std::any_of(query.ids.begin(), query.ids.end(), [&](const std::string& id) {
            if (id == seen(candidate).id) return true;
            const bool in_home = std::any_of(records.begin(), records.end(), [&](const auto& r) {
                return r.space == home && r.id == id;
            });
            return !in_home && id == candidate.id;
        });
    }

    static bool holds(const RuleRecord& candidate, const std::string& field,
                      const std::string& value) {
        const auto found = candidate.fields.find(field);
        if (found == candidate.fields.end()) return false;
        if (found->second == value) return true;
        const Json list = Json::parse(found->second);
        return list.is_array() && std::any_of(list.begin(), list.end(), [&](const Json& element) {
                   return canonical(element) == value;
               });
    }

    static bool in_range(const RuleRecord& candidate, const NeedQuery& query) {
        if (query.field.empty()) return true;
        const auto found = candidate.fields.find(query.field);
        if (found == candidate.fields.end()) return false;
        const Json value = Json::parse(found->second);
        if (!value.is_string()) return false;
        const auto text = value.get<std::string>();
        if (text.size() == 10) {
            return (!query.from_date || text >= *query.from_date) &&
                   (!query.to_date || text <= *query.to_date);
        }
        const auto at = parse_instant(text);
        return at && (!query.from || *at >= *query.from) && (!query.to || *at <= *query.to);
    }

    bool matches(const RuleRecord& candidate, const NeedQuery& query) const {
        if (candidate.deleted || (!query.kind.empty() && candidate.kind != query.kind))
            return false;
        if (!query.space.empty() && candidate.space != query.space) return false;
        return has_id(candidate, query) && in_range(candidate, query) &&
               std::all_of(query.where.begin(), query.where.end(), [&](const auto& condition) {
                   return holds(candidate, condition.first, condition.second);
               });
    }
};

}  // namespace dutybook::rules::test
