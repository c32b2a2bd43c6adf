#include "formats/fhir.h"

#include <algorithm>
#include <cctype>

namespace dutybook::formats {

namespace {

// A decimal travels through the JSON tree as marked text and is unquoted when it is written.
constexpr std::string_view mark = "decimal:";
constexpr std::string_view units = "http://unitsofmeasure.org";
constexpr std::string_view vaccines = "http://hl7.org/fhir/sid/cvx";

const Json& member(const Json& object, const char* name) {
    static const Json none;
    const auto found = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && found != object.end() ? *found : none;
}

std::string text_in(const Json& object, const char* name) {
    const Json& value = member(object, name);
    return value.is_string() ? value.get<std::string>() : "";
}

bool is_decimal(std::string_view text) {
    if (!text.empty() && text.front() == '-') text.remove_prefix(1);
    const auto dot = std::min(text.find('.'), text.size());
    const auto digits = [](std::string_view part) {
        return !part.empty() &&
               std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    const std::string_view whole = text.substr(0, dot);
    return digits(whole) && (whole.size() == 1 || whole.front() != '0') &&
           (dot == text.size() || digits(text.substr(dot + 1)));
}

Json quantity(const Json& fields) {
    const std::string dose = text_in(fields, "dose"), unit = text_in(fields, "unit");
    if (!is_decimal(dose)) return {};
    Json out = {{"value", std::string(mark) + dose}};
    if (!unit.empty()) out.update({{"unit", unit}, {"system", units}, {"code", unit}});
    return out;
}

Json reference(const char* type, const std::string& id, const FhirInput& input) {
    Json out = {{"reference", std::string(type) + "/" + id}};
    const auto name = input.names.find(id);
    if (name != input.names.end()) out["display"] = name->second;
    return out;
}

Json coded(const std::string& text) {
    return {{"text", text}};
}

// A retracted record was entered in error.
std::string status_of(const Json& record) {
    if (text_in(member(record, "envelope"), "status") == "retracted") return "entered-in-error";
    return text_in(member(record, "fields"), "status");
}

Json administration(const Json& record, const FhirInput& input) {
    const Json& fields = member(record, "fields");
    const std::string order = text_in(fields, "order");
    const auto ordered = input.orders.find(order);
    const std::string drug = ordered == input.orders.end() ? "" : text_in(ordered->second, "drug");
    Json out = {{"resourceType", "MedicationAdministration"},
                {"id", text_in(record, "id")},
                {"status", status_of(record)},
                {"medicationCodeableConcept", coded(drug.empty() ? "unknown" : drug)},
                {"subject", reference("Patient", text_in(fields, "person"), input)},
                {"effectiveDateTime", text_in(fields, "at")}};
    if (!order.empty()) out["request"] = {{"reference", "MedicationRequest/" + order}};
    const std::string why = text_in(fields, "not_done_reason");
    if (!why.empty()) out["statusReason"] = Json::array({coded(why)});
    const std::string by = text_in(fields, "by");
    if (!by.empty()) {
        out["performer"] = Json::array({{{"actor", reference("Practitioner", by, input)}}});
    }
    const std::string reason = text_in(fields, "reason_prn");
    if (!reason.empty()) out["reasonCode"] = Json::array({coded(reason)});
    const std::string effect = text_in(fields, "effect");
    if (!effect.empty()) out["note"] = Json::array({{{"text", effect}}});
    const Json dose = quantity(fields);
    const std::string route = text_in(fields, "route");
    if (!dose.is_null() || !route.empty()) out["dosage"] = Json::object();
    if (!dose.is_null()) out["dosage"]["dose"] = dose;
    if (!route.empty()) out["dosage"]["route"] = coded(route);
    return out;
}

Json immunization(const Json& record, const FhirInput& input) {
    const Json& fields = member(record, "fields");
    Json vaccine = coded(text_in(fields, "vaccine"));
    const std::string code = text_in(fields, "vaccine_code");
    if (!code.empty()) {
        vaccine["coding"] = Json::array({{{"system", vaccines}, {"code", code}}});
    }
    Json out = {{"resourceType", "Immunization"},
                {"id", text_in(record, "id")},
                {"status", status_of(record)},
                {"vaccineCode", vaccine},
                {"patient", reference("Patient", text_in(fields, "person"), input)},
                {"occurrenceDateTime", text_in(fields, "at")}};
    const std::string by = text_in(fields, "by"), expiry = text_in(fields, "expiry");
    if (!text_in(fields, "lot").empty()) out["lotNumber"] = text_in(fields, "lot");
    if (!expiry.empty()) out["expirationDate"] = expiry;
    if (!text_in(fields, "body_site").empty()) out["site"] = coded(text_in(fields, "body_site"));
    if (!text_in(fields, "route").empty()) out["route"] = coded(text_in(fields, "route"));
    const Json dose = quantity(fields);
    if (!dose.is_null()) out["doseQuantity"] = dose;
    if (!by.empty()) {
        out["performer"] = Json::array({{{"actor", reference("Practitioner", by, input)}}});
    }
    return out;
}

// "decimal:0.10" in quotes becomes 0.10.
std::string unquoted(std::string text) {
    const std::string begin = '"' + std::string(mark);
    for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
        const auto end = text.find('"', at + 1);
        const std::string number = text.substr(at + begin.size(), end - at - begin.size());
        if (!is_decimal(number)) {  // somebody's text that only looks like one
            at = end;
            continue;
        }
        text.replace(at, end - at + 1, number);
    }
    return text;
}

// The reverse: every number outside of quotes becomes marked text, so that no digit is lost.
std::string quoted(std::string_view text) {
    std::string out;
    bool inside = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (inside && c == '\\' && i + 1 < text.size()) {
            out += c;
            out += text[++i];
            continue;
        }
        if (c == '"') inside = !inside;
        const bool number = !inside && (c == '-' || (c >= '0' && c <= '9'));
        if (!number) {
            out += c;
            continue;
        }
        const auto end = std::min(text.find_first_not_of("0123456789+-.eE", i), text.size());
        out += '"';
        out += mark;
        out += text.substr(i, end - i);
        out += '"';
        i = end - 1;
    }
    return out;
}

class Reader {
public:
    Reader(std::string file, Mapped& out) : file_(std::move(file)), out_(out) {}

    void take(const Json& resource, std::uint64_t number) {
        number_ = number;
        const std::string type = text_in(resource, "resourceType");
        if (type == "MedicationAdministration") {
            administration(resource);
        } else if (type == "Immunization") {
            immunization(resource);
        } else {
            out_.warnings.push_back(
                bad_row(file_, number, type, "resources of this type are not read"));
        }
    }

private:
    // "Patient/p1" or "urn:...:p1" -> "p1"
    static std::string id_in(const Json& reference) {
        const std::string text = text_in(reference, "reference");
        const auto cut = text.find_last_of("/:");
        return cut == std::string::npos ? text : text.substr(cut + 1);
    }

    static std::string concept_text(const Json& coded) {
        const std::string text = text_in(coded, "text");
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
        record.id = as_id(text_in(resource, "id"));
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

    void dose(MappedRecord& record, const Json& quantity) {
        std::string value = text_in(quantity, "value");
        if (value.starts_with(mark)) value.erase(0, mark.size());
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
        set(record, "at", text_in(resource, "effectiveDateTime"));
        set(record, "not_done_reason", concept_text(first(member(resource, "statusReason"))));
        set(record, "reason_prn", concept_text(first(member(resource, "reasonCode"))));
        set(record, "effect", text_in(first(member(resource, "note")), "text"));
        const Json& dosage = member(resource, "dosage");
        dose(record, member(dosage, "dose"));
        set(record, "route", concept_text(member(dosage, "route")));
        finish(std::move(record));
    }

    void immunization(const Json& resource) {
        MappedRecord record = begin("medical.immunization", resource);
        refer(record, "person", id_in(member(resource, "patient")));
        refer(record, "by", id_in(member(first(member(resource, "performer")), "actor")));
        set(record, "at", text_in(resource, "occurrenceDateTime"));
        const Json& vaccine = member(resource, "vaccineCode");
        set(record, "vaccine", concept_text(vaccine));
        set(record, "vaccine_code", text_in(first(member(vaccine, "coding")), "code"));
        set(record, "lot", text_in(resource, "lotNumber"));
        set(record, "expiry", text_in(resource, "expirationDate"));
        set(record, "body_site", concept_text(member(resource, "site")));
        set(record, "route", concept_text(member(resource, "route")));
        dose(record, member(resource, "doseQuantity"));
        finish(std::move(record));
    }

    std::string file_;
    Mapped& out_;
    std::uint64_t number_ = 0;
};

}  // namespace

std::string render_fhir(const FhirInput& input, const std::string& made_at) {
    Json entries = Json::array();
    for (const Json& record : input.administrations) {
        entries.push_back({{"resource", administration(record, input)}});
    }
    for (const Json& record : input.immunizations) {
        entries.push_back({{"resource", immunization(record, input)}});
    }
    const Json bundle = {{"resourceType", "Bundle"},
                         {"type", "collection"},
                         {"timestamp", made_at},
                         {"entry", std::move(entries)}};
    return unquoted(bundle.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

Result<Mapped> read_fhir(std::string_view text, const std::string& file) {
    constexpr std::size_t depth = 64, bytes = 256u << 20;
    TRY_ASSIGN(const Json bundle, parse_json(quoted(text), {depth, bytes}));
    if (text_in(bundle, "resourceType") != "Bundle") return bad_row(file, 0, "", "is no Bundle");
    Mapped out;
    Reader reader(file, out);
    std::uint64_t number = 0;
    for (const Json& entry : member(bundle, "entry")) {
        reader.take(member(entry, "resource"), ++number);
    }
    return out;
}

}  // namespace dutybook::formats
