#pragma once

// Everything mpq offers. The pipeline reads: load -> analyze -> allocate -> quantize -> verify -> report.

#include "mpq/allocate.h"
#include "mpq/analyze.h"
#include "mpq/budget.h"
#include "mpq/check.h"
#include "mpq/diff.h"
#include "mpq/error.h"
#include "mpq/layer.h"
#include "mpq/model.h"
#include "mpq/observer.h"
#include "mpq/pipeline.h"
#include "mpq/plan.h"
#include "mpq/quantize.h"
#include "mpq/report.h"
#include "mpq/run_record.h"
#include "mpq/samples.h"
#include "mpq/sensitivity.h"
#include "mpq/tensor.h"
#include "mpq/text.h"
#include "mpq/verify.h"
#include "mpq/version.h"
