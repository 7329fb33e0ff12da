//! Small dense linear algebra in f64 with one fixed order of every sum, so that bits do not depend on the number of
//! threads or the machine. Matrices are row-major.

use rayon::prelude::*;

pub use models::native::double::{add_scaled, dot, dots, transpose_product};

/// A B for A of `inner` columns and B of `columns` columns.
pub fn product(a: &[f64], inner: usize, b: &[f64], columns: usize) -> Vec<f64> {
    let mut result = vec![0.0; a.len() / inner * columns];
    result.par_chunks_exact_mut(columns).zip(a.par_chunks_exact(inner)).with_min_len(64).for_each(|(row, a)| {
        for (&a, b) in a.iter().zip(b.chunks_exact(columns)) {
            if columns < 8 { row.iter_mut().zip(b).for_each(|(row, b)| *row += a * b) } else { add_scaled(row, a, b) }
        }
    });
    result
}

/// Solves A X = B for symmetric positive definite A (n × n) by Cholesky's decomposition; B has `columns` columns.
/// `None` if A is not positive definite.
pub fn solve(a: &[f64], n: usize, b: &[f64], columns: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let sum = a[i * n + j] - dot(&lower[i * n..i * n + j], &lower[j * n..j * n + j]);
            if i == j {
                if sum <= 0.0 || !sum.is_finite() {
                    return None;
                }
                lower[i * n + i] = sum.sqrt();
            } else {
                lower[i * n + j] = sum / lower[j * n + j];
            }
        }
    }
    let mut x = b.to_vec();
    for i in 0..n {
        let (done, rest) = x.split_at_mut(i * columns);
        let row = &mut rest[..columns];
        for (j, done) in done.chunks_exact(columns).enumerate() {
            add_scaled(row, -lower[i * n + j], done);
        }
        row.iter_mut().for_each(|value| *value /= lower[i * n + i]);
    }
    for i in (0..n).rev() {
        let (rest, done) = x.split_at_mut((i + 1) * columns);
        let row = &mut rest[i * columns..];
        for (j, done) in (i + 1..n).zip(done.chunks_exact(columns)) {
            add_scaled(row, -lower[j * n + i], done);
        }
        row.iter_mut().for_each(|value| *value /= lower[i * n + i]);
    }
    Some(x)
}

/// Eigenvalues (falling) and eigenvectors (as rows) of a symmetric matrix, by cyclic Jacobi rotations (Golub & Van
/// Loan 2013, §8.5).
pub fn eigen(symmetric: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = symmetric.to_vec();
    let mut vectors = vec![0.0; n * n];
    for i in 0..n {
        vectors[i * n + i] = 1.0;
    }
    let scale: f64 = a.iter().map(|value| value * value).sum();
    for _ in 0..30 {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i * n + j] * a[i * n + j]).sum();
        if off <= 1e-26 * scale {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, n, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[j * n + j].total_cmp(&a[i * n + i]));
    let values = order.iter().map(|&i| a[i * n + i]).collect();
    let vectors = order.iter().flat_map(|&i| vectors[i * n..(i + 1) * n].to_vec()).collect();
    (values, vectors)
}

/// The strongest eigenvectors (as rows) of a symmetric positive semi-definite matrix, by subspace iteration from a
/// fixed start (Golub & Van Loan 2013, §8.2): cheap where few of many are wanted.
pub fn principal(symmetric: &[f64], n: usize, count: usize) -> Vec<f64> {
    let count = count.min(n);
    // A little more than is wanted, since the last ones converge slowly.
    let kept = (count + 8).min(n);
    let mut state = 1u64;
    let start: Vec<f64> = (0..kept * n)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1u64 << 31) as f64 - 0.5
        })
        .collect();
    let mut rows = orthonormal(&start, n);
    for _ in 0..30 {
        let next = orthonormal(&product(&rows, n, symmetric, n), n);
        if next.len() < rows.len() {
            break;
        }
        rows = next;
    }
    // Within the subspace, the eigenvectors of the small matrix (Rayleigh and Ritz).
    let size = rows.len() / n;
    let moved = product(&rows, n, symmetric, n);
    let mut small = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..size {
            small[i * size + j] = dot(&moved[i * n..(i + 1) * n], &rows[j * n..(j + 1) * n]);
        }
    }
    let (_, vectors) = eigen(&small, size);
    product(&vectors[..count.min(size) * size], size, &rows, n)
}

/// One Jacobi rotation that makes a[p][q] zero.
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, p: usize, q: usize) {
    let off = a[p * n + q];
    if off == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
    let t = if theta >= 0.0 { 1.0 } else { -1.0 } / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..n {
        let (kp, kq) = (a[k * n + p], a[k * n + q]);
        a[k * n + p] = c * kp - s * kq;
        a[k * n + q] = s * kp + c * kq;
    }
    turn(a, n, p, q, c, s);
    turn(vectors, n, p, q, c, s);
}

/// Rotates rows p and q.
fn turn(matrix: &mut [f64], n: usize, p: usize, q: usize, c: f64, s: f64) {
    let (head, tail) = matrix.split_at_mut(q * n);
    for (a, b) in head[p * n..(p + 1) * n].iter_mut().zip(&mut tail[..n]) {
        (*a, *b) = (c * *a - s * *b, s * *a + c * *b);
    }
}

/// Makes rows of width `n` orthonormal in order (modified Gram–Schmidt, twice); rows that depend on earlier ones are
/// left out.
pub fn orthonormal(rows: &[f64], n: usize) -> Vec<f64> {
    let mut basis: Vec<f64> = Vec::new();
    for row in rows.chunks_exact(n) {
        let mut row = row.to_vec();
        let before = dot(&row, &row).sqrt();
        for _ in 0..2 {
            for direction in basis.chunks_exact(n) {
                let along = dot(&row, direction);
                add_scaled(&mut row, -along, direction);
            }
        }
        let norm = dot(&row, &row).sqrt();
        if norm > 1e-9 * before {
            basis.extend(row.iter().map(|value| value / norm));
        }
    }
    basis
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::numeric::normal;
    use super::*;
    use environments::stream;

    fn random(rows: usize, columns: usize) -> Vec<f64> {
        let mut stream = stream(&["matrix", &rows.to_string(), &columns.to_string()]);
        (0..rows * columns).map(|_| normal(&mut stream)).collect()
    }

    fn assert_near(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }

    #[test]
    fn products_agree_with_the_definition() {
        let (a, b) = (random(700, 5), random(700, 3));
        let mut expected = vec![0.0; 15];
        for row in 0..700 {
            for i in 0..5 {
                for j in 0..3 {
                    expected[i * 3 + j] += a[row * 5 + i] * b[row * 3 + j];
                }
            }
        }
        assert_near(&transpose_product(&a, 5, &b, 3), &expected);
        assert!((dot(&a, &a) - a.iter().map(|x| x * x).sum::<f64>()).abs() < 1e-9);
    }

    #[test]
    fn a_solved_system_holds() {
        let rows = random(60, 12);
        let a = transpose_product(&rows, 12, &rows, 12);
        let b = random(12, 4);
        assert_near(&product(&a, 12, &solve(&a, 12, &b, 4).unwrap(), 4), &b);
        assert_eq!(solve(&[1.0, 2.0, 2.0, 1.0], 2, &[1.0, 1.0], 1), None, "not positive definite");
    }

    #[test]
    fn eigenvectors_are_orthonormal_and_rebuild_the_matrix() {
        let rows = random(30, 20);
        let a = transpose_product(&rows, 20, &rows, 20);
        let (values, vectors) = eigen(&a, 20);
        assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
        let mut identity = vec![0.0; 400];
        (0..20).for_each(|i| identity[i * 21] = 1.0);
        assert_near(&transpose_product(&vectors, 20, &vectors, 20), &identity);
        let scaled: Vec<f64> =
            vectors.chunks(20).zip(&values).flat_map(|(row, value)| row.iter().map(move |x| x * value)).collect();
        assert_near(&transpose_product(&vectors, 20, &scaled, 20), &a);
    }

    #[test]
    fn subspace_iteration_finds_what_jacobi_finds() {
        let mut rows = random(60, 30);
        // A spectrum that falls, as those of activations do.
        rows.chunks_mut(30).for_each(|row| row.iter_mut().enumerate().for_each(|(i, x)| *x /= (i + 1) as f64));
        let a = transpose_product(&rows, 30, &rows, 30);
        let (expected, found) = (eigen(&a, 30).1, principal(&a, 30, 4));
        assert_eq!(found.len(), 4 * 30);
        for (found, expected) in found.chunks(30).zip(expected.chunks(30)) {
            assert!((dot(found, expected).abs() - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn gram_schmidt_leaves_dependent_rows_out() {
        let basis = orthonormal(&[1.0, 1.0, 0.0, 2.0, 2.0, 0.0, 0.0, 1.0, 1.0], 3);
        assert_eq!(basis.len(), 6);
        assert!(dot(&basis[..3], &basis[3..]).abs() < 1e-12);
    }
}
