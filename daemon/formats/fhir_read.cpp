#include "base/clock.h"
#include "formats/fhir.h"
#include "formats/fhir_json.h"
#include "formats/mapping_value.h"

#include <algorithm>
#include <array>

namespace dutybook::formats {

namespace {

// How receivers write what our records have a word for: displays, HL7 v3 codes, SNOMED CT codes.
struct Word {
    const char* ours;
    const char* theirs;
};
constexpr std::array routes{Word{"oral", "po"},
                            Word{"oral", "by mouth"},
                            Word{"oral", "oral route"},
                            Word{"oral", "26643006"},
                            Word{"inhaled", "ih"},
                            Word{"inhaled", "inhalation"},
                            Word{"inhaled", "respiratory tract"},
                            Word{"inhaled", "447694001"},
                            Word{"nasal", "nasinhl"},
                            Word{"nasal", "nasal route"},
                            Word{"nasal", "46713006"},
                            Word{"topical", "top"},
                            Word{"topical", "topical route"},
                            Word{"topical", "6064005"},
                            Word{"eye", "ophthalmic"},
                            Word{"eye", "ophthalmic route"},
                            Word{"ear", "otic"},
                            Word{"rectal", "pr"},
                            Word{"rectal", "37161004"},
                            Word{"intramuscular", "im"},
                            Word{"intramuscular", "injection, intramuscular"},
                            Word{"intramuscular", "78421000"},
                            Word{"subcutaneous", "sq"},
                            Word{"subcutaneous", "sc"},
                            Word{"subcutaneous", "injection, subcutaneous"},
                            Word{"subcutaneous", "34206005"},
                            Word{"gastrostomy", "gt"},
                            Word{"gastrostomy", "gastrostomy route"}};
constexpr std::array body_sites{Word{"left_deltoid", "la"},
                                Word{"left_deltoid", "left arm"},
                                Word{"left_deltoid", "left upper arm"},
                                Word{"left_deltoid", "left deltoid"},
                                Word{"right_deltoid", "ra"},
                                Word{"right_deltoid", "right arm"},
                                Word{"right_deltoid", "right upper arm"},
                                Word{"right_deltoid", "right deltoid"},
                                Word{"left_thigh", "lt"},
                                Word{"left_thigh", "left thigh"},
                                Word{"left_thigh", "left vastus lateralis"},
                                Word{"right_thigh", "rt"},
                                Word{"right_thigh", "right thigh"},
                                Word{"right_thigh", "right vastus lateralis"},
                                Word{"abdomen", "abd"}};
constexpr std::array reasons{Word{"missed", "missed dose"}, Word{"refused", "patient refused"},
                             Word{"refused", "refusal"},    Word{"refused", "patient objection"},
                             Word{"refused", "patobj"},     Word{"absent", "patient absent"},
                             Word{"absent", "not present"}, Word{"no_supply", "out of stock"},
                             Word{"no_supply", "ostock"},   Word{"held", "on hold"}};

template <class Words>
const char* ours_of(const Words& words, const std::string& text) {
    const std::string word = lower_case(text);
    for (const Word& each : words) {
        if (word == each.ours || word == each.theirs) return each.ours;
    }
    return nullptr;
}

class Reader {
public:
    Reader(std::string file, std::string zone, Mapped& out)
        : file_(std::move(file)), zone_(std::move(zone)), out_(out) {}

    void take(const Json& entry, std::uint64_t number) {
        number_ = number;
        const Json& resource = member(entry, "resource");
        url_ = text_in(entry, "fullUrl");
        const std::string type = text_in(resource, "resourceType");
        if (type == "MedicationAdministration") {
            administration(resource);
        } else if (type == "Immunization") {
            immunization(resource);
        } else {
            out_.warnings.push_back(bad_row(file_, number, type.empty() ? "resourceType" : type,
                                            "resources of this type are not read"));
        }
    }

private:
    // "Patient/p1" or "urn:...:p1" -> "p1"
    static std::string tail(const std::string& text) {
        const auto cut = text.find_last_of("/:");
        return cut == std::string::npos ? text : text.substr(cut + 1);
    }
    static std::string id_in(const Json& reference) {
        return tail(text_in(reference, "reference"));
    }

    static std::string concept_text(const Json& coded) {
        std::string text = text_in(coded, "text");
        if (!text.empty()) return text;
        const Json& codings = member(coded, "coding");
        if (!codings.is_array() || codings.empty()) return "";
        const std::string display = text_in(codings.front(), "display");
        return display.empty() ? text_in(codings.front(), "code") : display;
    }

    static const Json& first(const Json& list) {
        static const Json none;
        return list.is_array() && !list.empty() ? list.front() : none;
    }

    MappedRecord begin(const char* kind, const Json& resource) {
        MappedRecord record;
        const std::string id = text_in(resource, "id");
        record.id = as_id(id.empty() ? tail(url_) : id);
        record.kind = kind;
        record.file = file_;
        record.line = number_;
        set(record, "status", text_in(resource, "status"));
        return record;
    }

    void set(MappedRecord& record, const char* field, const std::string& value) {
        if (!value.empty()) record.fields[field] = value;
    }

    void refer(MappedRecord& record, const char* field, const std::string& id) {
        if (id.empty()) return;
        record.fields[field] = as_id(id);
        record.refers.insert(field);
        out_.references.push_back({as_id(id), file_, field, number_});
    }

    // FHIR's dateTime may be a day alone: its midnight at the site.
    void set_instant(MappedRecord& record, const std::string& text) {
        constexpr std::size_t day = 10;
        const auto at =
            text.size() == day ? parse_instant_of_person(text, zone_, 0) : parse_instant(text);
        set(record, "at", at && text.size() == day ? format_in_zone(*at, zone_) : text);
    }

    // A word that records have a list for. What is not in it is "other", and told.
    template <class Words>
    void set_word(MappedRecord& record, const char* field, const Json& coded, const Words& words) {
        const std::string text = concept_text(coded);
        if (text.empty()) return;
        const char* word = ours_of(words, text);
        for (const Json& coding : listed(coded, "coding")) {
            if (word == nullptr) word = ours_of(words, text_in(coding, "code"));
            if (word == nullptr) word = ours_of(words, text_in(coding, "display"));
        }
        if (word == nullptr && text != "other") {
            out_.warnings.push_back(bad_row(file_, number_, field,
                                            '"' + text + "\" is not known; it is kept as other"));
        }
        record.fields[field] = word == nullptr ? "other" : word;
    }

    static const Json& listed(const Json& object, const char* name) {
        static const Json none = Json::array();
        const Json& list = member(object, name);
        return list.is_array() ? list : none;
    }

    void dose(MappedRecord& record, const Json& quantity) {
        std::string value = text_in(quantity, "value");
        if (value.starts_with(decimal_mark)) value.erase(0, decimal_mark.size());
        set(record, "dose", value);
        const std::string unit = text_in(quantity, "unit");
        set(record, "unit", unit.empty() ? text_in(quantity, "code") : unit);
    }

    void finish(MappedRecord record) {
        if (record.id.empty()) {
            out_.errors.push_back(bad_row(file_, number_, "id", "is empty"));
        } else {
            out_.records.push_back(std::move(record));
        }
    }

    void administration(const Json& resource) {
        MappedRecord record = begin("medical.medication_administration", resource);
        refer(record, "order", id_in(member(resource, "request")));
        refer(record, "person", id_in(member(resource, "subject")));
        refer(record, "by", id_in(member(first(member(resource, "performer")), "actor")));
        const std::string at = text_in(resource, "effectiveDateTime");
        set_instant(record,
                    at.empty() ? text_in(member(resource, "effectivePeriod"), "start") : at);
        set_word(record, "not_done_reason", first(member(resource, "statusReason")), reasons);
        set(record, "reason_prn", concept_text(first(member(resource, "reasonCode"))));
        set(record, "effect", text_in(first(member(resource, "note")), "text"));
        const Json& dosage = member(resource, "dosage");
        dose(record, member(dosage, "dose"));
        set_word(record, "route", member(dosage, "route"), routes);
        finish(std::move(record));
    }

    void immunization(const Json& resource) {
        MappedRecord record = begin("medical.immunization", resource);
        refer(record, "person", id_in(member(resource, "patient")));
        refer(record, "by", id_in(member(first(member(resource, "performer")), "actor")));
        set_instant(record, text_in(resource, "occurrenceDateTime"));
        const Json& vaccine = member(resource, "vaccineCode");
        set(record, "vaccine", concept_text(vaccine));
        set(record, "vaccine_code", text_in(first(member(vaccine, "coding")), "code"));
        set(record, "lot", text_in(resource, "lotNumber"));
        set(record, "expiry", text_in(resource, "expirationDate"));
        set_word(record, "body_site", member(resource, "site"), body_sites);
        set_word(record, "route", member(resource, "route"), routes);
        dose(record, member(resource, "doseQuantity"));
        finish(std::move(record));
    }

    std::string file_, zone_, url_;
    Mapped& out_;
    std::uint64_t number_ = 0;
};

}  // namespace

Result<Mapped> read_fhir(std::string_view text, const std::string& file, const std::string& zone) {
    constexpr std::size_t depth = 64, bytes = 256u << 20;
    TRY_ASSIGN(const Json bundle, parse_json(with_marks(text), {depth, bytes}));
    if (text_in(bundle, "resourceType") != "Bundle") return bad_row(file, 0, "", "is no Bundle");
    Mapped out;
    Reader reader(file, zone, out);
    std::uint64_t number = 0;
    for (const Json& entry : member(bundle, "entry")) {
        reader.take(entry, ++number);
    }
    return out;
}

}  // namespace dutybook::formats
