"""Probes of scikit-learn beside `stance bench probes`: pip install scikit-learn numpy, then

    python probes.py

prints one JSON object: seconds of ridge regression (Cholesky) and of logistic regression (L-BFGS) on 100,000 rows of 512
features of the same kind and at the same penalty, standardising included, and what was reached. scikit-learn keeps the
precision of what it is given: both are timed, and its better figure counts.
"""

import json
import time

import numpy
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

ROWS, WIDTH, PENALTY = 100_000, 512, 1e-3


def rows(count, seed):
    draws = numpy.random.default_rng(seed)
    features = numpy.empty((count, WIDTH), numpy.float32)
    last, total = numpy.zeros(count), numpy.zeros(count)
    for column in range(WIDTH):
        last = 0.5 * last + draws.standard_normal(count)
        total += last if column % 3 == 0 else -0.5 * last
        features[:, column] = last
    return features, total / 8 + draws.standard_normal(count)


def timed(work, repeats=2):
    best, result = float("inf"), None
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


def main():
    single, sums = rows(ROWS, 1)
    found = {}
    for name, features in [("f32", single), ("f64", single.astype(numpy.float64))]:
        targets = sums.astype(features.dtype)

        def ridge(penalties):
            standard = StandardScaler().fit_transform(features)
            return [Ridge(alpha=penalty * ROWS, solver="cholesky").fit(standard, targets) for penalty in penalties]

        found[f"ridge, one penalty, {name}"] = timed(lambda: ridge([1e-3]))[0]
        found[f"ridge, 5 penalties, {name}"] = timed(lambda: ridge([1e-4, 1e-3, 1e-2, 1e-1, 1.0]))[0]
        for classes in (2, 8):
            labels = numpy.clip(numpy.floor(sums / 1.5 + classes / 2), 0, classes - 1).astype(int)

            def logistic():
                standard = StandardScaler().fit_transform(features)
                # Two classes of ours have a weight vector each, whose penalty is that of one of half the strength.
                penalty = PENALTY / 2 if classes == 2 else PENALTY
                model = LogisticRegression(C=1 / (ROWS * penalty), max_iter=60)
                return model.fit(standard, labels), standard

            seconds, (model, standard) = timed(logistic)
            log = model.predict_log_proba(standard)
            weights = (model.coef_ ** 2).sum() * (PENALTY / 4 if classes == 2 else PENALTY / 2)
            loss = -log[numpy.arange(ROWS), labels].mean() + weights
            found[f"logistic, {classes} classes, {name}"] = {
                "seconds": seconds, "loss": float(loss), "iterations": int(model.n_iter_[0]),
            }
    print(json.dumps(found, indent=1))


main()
