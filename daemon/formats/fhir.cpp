#include "formats/fhir.h"

#include "formats/fhir_json.h"

namespace dutybook::formats {

namespace {

constexpr std::string_view units = "http://unitsofmeasure.org";
constexpr std::string_view vaccines = "http://hl7.org/fhir/sid/cvx";

Json quantity(const Json& fields) {
    const std::string dose = text_in(fields, "dose"), unit = text_in(fields, "unit");
    if (!is_fhir_decimal(dose)) return {};
    Json out = {{"value", std::string(decimal_mark) + dose}};
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
    return with_decimals(bundle.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace dutybook::formats
