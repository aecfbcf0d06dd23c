;; Arithmetic that matching spends most of its time on, four 32-bit numbers at a time. WebAssembly text format; `npm run kernels` writes
;; kernels.wasm, which kernels.ts loads. All places are addresses in bytes; results depend on no machine: there is no fused
;; multiply-add, and every sum is added up in the order of its summands.
(module
  (import "from" "memory" (memory 0))

  ;; sums[i] += a[i] × p + b[i] × q + c[i] × r + d[i] × s, from `sums` until `end`, by 16 bytes.
  (func (export "add")
    (param $sums i32) (param $end i32)
    (param $a i32) (param $b i32) (param $c i32) (param $d i32)
    (param $p f32) (param $q f32) (param $r f32) (param $s f32)
    (local $ps v128) (local $qs v128) (local $rs v128) (local $ss v128)
    (local.set $ps (f32x4.splat (local.get $p)))
    (local.set $qs (f32x4.splat (local.get $q)))
    (local.set $rs (f32x4.splat (local.get $r)))
    (local.set $ss (f32x4.splat (local.get $s)))
    (loop $next
      (v128.store (local.get $sums)
        (f32x4.add
          (f32x4.add
            (f32x4.add
              (f32x4.add
                (v128.load (local.get $sums))
                (f32x4.mul (v128.load (local.get $a)) (local.get $ps)))
              (f32x4.mul (v128.load (local.get $b)) (local.get $qs)))
            (f32x4.mul (v128.load (local.get $c)) (local.get $rs)))
          (f32x4.mul (v128.load (local.get $d)) (local.get $ss))))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (local.set $b (i32.add (local.get $b) (i32.const 16)))
      (local.set $c (i32.add (local.get $c) (i32.const 16)))
      (local.set $d (i32.add (local.get $d) (i32.const 16)))
      (br_if $next
        (i32.lt_u (local.tee $sums (i32.add (local.get $sums) (i32.const 16))) (local.get $end)))))

  ;; sums[documents[i]] += values[i] × weight for each stretch of a list, from `list` until `end`. A stretch takes 12 bytes: where it begins
  ;; and ends, counted in numbers, and its weight. No document is twice in one.
  (func (export "scatter")
    (param $list i32) (param $end i32) (param $documents i32) (param $values i32) (param $sums i32)
    (local $at i32) (local $stop i32) (local $weight f32) (local $sum i32)
    (loop $stretches
      (if (i32.lt_u (local.get $list) (local.get $end))
        (then
          (local.set $at (i32.shl (i32.load (local.get $list)) (i32.const 2)))
          (local.set $stop (i32.shl (i32.load offset=4 (local.get $list)) (i32.const 2)))
          (local.set $weight (f32.load offset=8 (local.get $list)))
          (local.set $list (i32.add (local.get $list) (i32.const 12)))
          (loop $numbers
            (if (i32.lt_u (local.get $at) (local.get $stop))
              (then
                (local.set $sum
                  (i32.add
                    (local.get $sums)
                    (i32.shl (i32.load (i32.add (local.get $documents) (local.get $at))) (i32.const 2))))
                (f32.store (local.get $sum)
                  (f32.add
                    (f32.load (local.get $sum))
                    (f32.mul (f32.load (i32.add (local.get $values) (local.get $at))) (local.get $weight))))
                (local.set $at (i32.add (local.get $at) (i32.const 4)))
                (br $numbers))))
          (br $stretches)))))

  ;; Writes the sum of the numbers from `at` until `end` to `result`, in 64 bits, and behind it the sum of their squares.
  (func (export "moments") (param $at i32) (param $end i32) (param $result i32)
    (local $two v128) (local $sums v128) (local $squares v128)
    (loop $pairs
      (if (i32.ge_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8))
        (then
          (local.set $two (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $at))))
          (local.set $sums (f64x2.add (local.get $sums) (local.get $two)))
          (local.set $squares (f64x2.add (local.get $squares) (f64x2.mul (local.get $two) (local.get $two))))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (br $pairs))))
    (if (i32.lt_u (local.get $at) (local.get $end))
      (then
        (local.set $two (f64x2.promote_low_f32x4 (v128.load32_zero (local.get $at))))
        (local.set $sums (f64x2.add (local.get $sums) (local.get $two)))
        (local.set $squares (f64x2.add (local.get $squares) (f64x2.mul (local.get $two) (local.get $two))))))
    (f64.store (local.get $result)
      (f64.add (f64x2.extract_lane 0 (local.get $sums)) (f64x2.extract_lane 1 (local.get $sums))))
    (f64.store offset=8 (local.get $result)
      (f64.add (f64x2.extract_lane 0 (local.get $squares)) (f64x2.extract_lane 1 (local.get $squares)))))

  ;; numbers[i] = (numbers[i] + addend) × factor, from `at` until `end`, by 16 bytes.
  (func (export "shift") (param $at i32) (param $end i32) (param $addend f32) (param $factor f32)
    (local $addends v128) (local $factors v128)
    (local.set $addends (f32x4.splat (local.get $addend)))
    (local.set $factors (f32x4.splat (local.get $factor)))
    (loop $next
      (v128.store (local.get $at)
        (f32x4.mul (f32x4.add (v128.load (local.get $at)) (local.get $addends)) (local.get $factors)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end)))))

  ;; Products of the rows of a matrix of 16-bit numbers, from `row` until `end`, four at a time, with eight vectors. `size` is that of a
  ;; row in bytes. The vectors stand side by side: the first two numbers of each, then the next two of each. The products of a
  ;; vector, as 32-bit numbers times `unit`, stand one after the other; `stride` bytes after them those of the next.
  (func (export "multiply")
    (param $row i32) (param $end i32) (param $size i32) (param $vectors i32) (param $results i32) (param $stride i32)
    (param $unit f32)
    (local $stop i32) (local $vector i32) (local $other i32) (local $third i32) (local $fourth i32)
    (local $left v128) (local $right v128) (local $number v128)
    (local $al v128) (local $ar v128) (local $bl v128) (local $br v128)
    (local $cl v128) (local $cr v128) (local $dl v128) (local $dr v128)
    (loop $rows
      (local.set $stop (i32.add (local.get $row) (local.get $size)))
      (local.set $other (local.get $stop))
      (local.set $third (i32.add (local.get $other) (local.get $size)))
      (local.set $fourth (i32.add (local.get $third) (local.get $size)))
      (local.set $vector (local.get $vectors))
      (local.set $al (v128.const i32x4 0 0 0 0))
      (local.set $ar (v128.const i32x4 0 0 0 0))
      (local.set $bl (v128.const i32x4 0 0 0 0))
      (local.set $br (v128.const i32x4 0 0 0 0))
      (local.set $cl (v128.const i32x4 0 0 0 0))
      (local.set $cr (v128.const i32x4 0 0 0 0))
      (local.set $dl (v128.const i32x4 0 0 0 0))
      (local.set $dr (v128.const i32x4 0 0 0 0))
      (loop $numbers
        (local.set $left (v128.load (local.get $vector)))
        (local.set $right (v128.load offset=16 (local.get $vector)))
        (local.set $number (v128.load32_splat (local.get $row)))
        (local.set $al (i32x4.add (local.get $al) (i32x4.dot_i16x8_s (local.get $number) (local.get $left))))
        (local.set $ar (i32x4.add (local.get $ar) (i32x4.dot_i16x8_s (local.get $number) (local.get $right))))
        (local.set $number (v128.load32_splat (local.get $other)))
        (local.set $bl (i32x4.add (local.get $bl) (i32x4.dot_i16x8_s (local.get $number) (local.get $left))))
        (local.set $br (i32x4.add (local.get $br) (i32x4.dot_i16x8_s (local.get $number) (local.get $right))))
        (local.set $number (v128.load32_splat (local.get $third)))
        (local.set $cl (i32x4.add (local.get $cl) (i32x4.dot_i16x8_s (local.get $number) (local.get $left))))
        (local.set $cr (i32x4.add (local.get $cr) (i32x4.dot_i16x8_s (local.get $number) (local.get $right))))
        (local.set $number (v128.load32_splat (local.get $fourth)))
        (local.set $dl (i32x4.add (local.get $dl) (i32x4.dot_i16x8_s (local.get $number) (local.get $left))))
        (local.set $dr (i32x4.add (local.get $dr) (i32x4.dot_i16x8_s (local.get $number) (local.get $right))))
        (local.set $vector (i32.add (local.get $vector) (i32.const 32)))
        (local.set $other (i32.add (local.get $other) (i32.const 4)))
        (local.set $third (i32.add (local.get $third) (i32.const 4)))
        (local.set $fourth (i32.add (local.get $fourth) (i32.const 4)))
        (br_if $numbers
          (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 4))) (local.get $stop))))
      (call $store_columns
        (local.get $al) (local.get $bl) (local.get $cl) (local.get $dl)
        (local.get $results) (local.get $stride) (local.get $unit))
      (call $store_columns
        (local.get $ar) (local.get $br) (local.get $cr) (local.get $dr)
        (i32.add (local.get $results) (i32.shl (local.get $stride) (i32.const 2))) (local.get $stride) (local.get $unit))
      (local.set $results (i32.add (local.get $results) (i32.const 16)))
      (br_if $rows (i32.lt_u (local.tee $row (local.get $fourth)) (local.get $end)))))

  ;; Writes the columns of four rows of four whole numbers, times `unit`, `stride` bytes apart.
  (func $store_columns
    (param $a v128) (param $b v128) (param $c v128) (param $d v128) (param $to i32) (param $stride i32)
    (param $unit f32)
    (local $ab v128) (local $cd v128)
    (local.set $a (f32x4.mul (f32x4.convert_i32x4_s (local.get $a)) (f32x4.splat (local.get $unit))))
    (local.set $b (f32x4.mul (f32x4.convert_i32x4_s (local.get $b)) (f32x4.splat (local.get $unit))))
    (local.set $c (f32x4.mul (f32x4.convert_i32x4_s (local.get $c)) (f32x4.splat (local.get $unit))))
    (local.set $d (f32x4.mul (f32x4.convert_i32x4_s (local.get $d)) (f32x4.splat (local.get $unit))))
    (local.set $ab (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b)))
    (local.set $cd (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d)))
    (v128.store (local.get $to)
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
    (v128.store (local.tee $to (i32.add (local.get $to) (local.get $stride)))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
    (local.set $ab (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b)))
    (local.set $cd (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d)))
    (v128.store (local.tee $to (i32.add (local.get $to) (local.get $stride)))
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
    (v128.store (i32.add (local.get $to) (local.get $stride))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))))
