#pragma once
// FHIR R4: a Bundle (type collection) of MedicationAdministration and Immunization, from records
// and back. Decimals keep their digits: 0.10 stays 0.10 (FHIR R4, decimal).

#include "formats/mapping.h"

namespace dutybook::formats {

// Records as the API gives them ({"id","kind","envelope","fields"}) by what a resource needs.
struct FhirInput {
    std::vector<Json> administrations;         // medical.medication_administration
    std::map<std::string, Json> orders;        // fields, by id
    std::vector<Json> immunizations;           // medical.immunization
    std::map<std::string, std::string> names;  // of people, by id; may lack some
};
std::string render_fhir(const FhirInput& input, const std::string& made_at);

// Resources of other types, and words that records have none for, are told as warnings. A day
// without a time is midnight in `zone`. Code::Malformed if it is no Bundle.
Result<Mapped> read_fhir(std::string_view text, const std::string& file, const std::string& zone);

}  // namespace dutybook::formats
