#include "mpq/observer.h"

namespace mpq {

Observer& silent_observer() {
  static Observer observer;
  return observer;
}

}  // namespace mpq
