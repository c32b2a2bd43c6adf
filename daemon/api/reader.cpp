#include "api/reader.h"

#include <algorithm>
#include <tuple>

namespace dutybook::api {

namespace {

Json object_of(const Fields& fields) {
    Json out = Json::object();
    for (const auto& [name, value] : fields) out[name] = Json::parse(value, nullptr, false);
    return out;
}

// "/times/0" -> "times"; empty where the record as a whole is meant.
std::string field_at(const std::string& pointer) {
    return pointer.empty() ? pointer : pointer.substr(1, pointer.find('/', 1) - 1);
}

// A set that holds nothing is no field of the state, and yet it was given: a post without staff.
void give_empty_set(Fields& fields, const std::string& name, const domain::KindTraits& kind) {
    const auto field = kind.fields.find(name);
    const bool set = field != kind.fields.end() && field->second.merge == domain::Merge::Set;
    if (set) fields.try_emplace(name, "[]");
}

// Takes out what is not as the kind says: what arrives by sync was judged nowhere. False where the
// record says too little then.
bool made_to_fit(rules::RuleRecord& record, const rules::Kinds& kinds) {
    const auto errors = kinds.validate(record.kind, object_of(record.fields));
    const auto* const kind = kinds.find(record.kind);
    if (errors.empty() || kind == nullptr) return errors.empty();
    for (const Error& error : errors) {
        const std::string name = field_at(error.pointer);
        record.fields.erase(name);
        give_empty_set(record.fields, name, *kind);
    }
    return kinds.validate(record.kind, object_of(record.fields)).empty();
}

// Of texts that are a reference into the space ("district/"), the id alone.
void strip(Json& value, const std::string& space) {
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        if (text.starts_with(space) && domain::valid_record_id(text.substr(space.size()))) {
            value = text.substr(space.size());
        }
    }
    if (!value.is_structured()) return;
    for (Json& each : value) strip(each, space);
}

}  // namespace

Result<bool> ReaderSource::open(const rules::RuleRecord& record) {
    TRY_ASSIGN(const bool hidden,
               record.space == facts_.name
                   ? walls_.hides({record.id, record.kind, record.fields, record.by})
                   : walls_.hides(record.space + "/" + without_space(record.id)));
    return !hidden && reading_.opens(kinds_.find(record.kind), record.fields, record.by);
}

void ReaderSource::name_plainly(rules::RuleRecord& record) const {
    if (facts_.parent.empty()) return;
    record.id = without_space(record.id);
    const std::string space = facts_.parent + "/", quoted = '"' + space;
    for (auto& [name, text] : record.fields) {
        if (text.find(quoted) == std::string::npos) continue;
        Json value = Json::parse(text, nullptr, false);
        strip(value, space);
        text = canonical(value);
    }
}

std::optional<rules::NeedQuery> ReaderSource::other_way(const rules::NeedQuery& query) const {
    const auto* const kind = kinds_.find(query.kind);
    if (facts_.parent.empty() || kind == nullptr) return std::nullopt;
    const std::string quoted = '"' + facts_.parent + '/';
    rules::NeedQuery other = query;
    bool differs = false;
    for (auto& [name, value] : other.where) {
        const auto field = kind->fields.find(name);
        const bool refers = field != kind->fields.end() && !field->second.refers.empty();
        if (!refers || !value.starts_with('"')) continue;
        const bool full = value.starts_with(quoted);
        value = (full ? "\"" : quoted) + value.substr(full ? quoted.size() : 1);
        differs = true;
    }
    return differs ? std::optional(std::move(other)) : std::nullopt;
}

Result<rules::NeedAnswer> ReaderSource::find(const rules::NeedQuery& query) {
    TRY_ASSIGN(auto answer, all_.find(query));
    if (const auto other = other_way(query)) {
        TRY_ASSIGN(auto more, all_.find(*other));
        answer.cut_off = answer.cut_off || more.cut_off;
        std::move(more.records.begin(), more.records.end(), std::back_inserter(answer.records));
    }
    std::vector<rules::RuleRecord> shown;
    shown.reserve(answer.records.size());
    for (auto& record : answer.records) {
        TRY_ASSIGN(const bool here, open(record));
        if (!here) {
            hidden_.insert(record.id);
            continue;
        }
        if (!made_to_fit(record, kinds_)) {
            unfit_.insert(record.id);
            continue;
        }
        if (!query.field.empty()) dated_.insert(record.id);
        name_plainly(record);
        shown.push_back(std::move(record));
    }
    const auto key = [](const auto& one) { return std::tie(one.id, one.space); };
    std::sort(shown.begin(), shown.end(),
              [&](const auto& a, const auto& b) { return key(a) < key(b); });
    shown.erase(std::unique(shown.begin(), shown.end(),
                            [&](const auto& a, const auto& b) { return key(a) == key(b); }),
                shown.end());
    answer.records = std::move(shown);
    return answer;
}

}  // namespace dutybook::api
