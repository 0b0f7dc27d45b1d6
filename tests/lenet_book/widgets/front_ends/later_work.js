// @ts-check
import { Sum } from "./later_sum.js";

onmessage = ({ data }) => postMessage(`${new Sum(data).plus(2)} </script><!--`);
