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
