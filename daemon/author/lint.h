#pragma once
// Every mistake of a plugin that can be found without judging a record.

#include "author/bench_space.h"

namespace dutybook::author {

// The package's own mistakes (manifest, schemas, locales, code that cannot be loaded), and what
// does not fit together: rules, completions and reports that are declared and not written or
// written and not declared; needs that name kinds or fields that nobody brings (a plugin that is
// built on this one may bring them); codes and needs that the code mentions and the manifest does
// not; codes without an English text; tests that cannot be read.
// Warnings have Code::Conflict, the rest is an error.
std::vector<Error> lint(const std::filesystem::path& folder, const Surroundings& surroundings);

bool is_warning(const Error& error);

}  // namespace dutybook::author
